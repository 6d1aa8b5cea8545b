"""Text on the screen: fonts, scripts, languages."""
