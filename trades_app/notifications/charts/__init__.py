"""Pictures for messages and reports: one style, drawn by matplotlib, as PNG or inline SVG."""
