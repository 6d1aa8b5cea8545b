"""From decoded or stored pictures to the pixels a viewer sees, as 8-bit BGR."""
