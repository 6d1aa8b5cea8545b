"""What the kiosk shows: scenes, texts, languages and themes."""
