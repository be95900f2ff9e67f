"""The reference skills, played against the real engine and the embedded operator."""
