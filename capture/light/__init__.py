"""The light of the screen: colours, plans, the flash check, and which frame saw which colour."""
