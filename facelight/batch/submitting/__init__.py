"""What was accepted is delivered while the batch goes on; what could not be goes to the spool."""
