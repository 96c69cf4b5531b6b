"""Cases as data: what a scheme, a layout or the stream must answer."""
