"""Charts as SVG, drawn here: frozen data and words go in, a frozen `Chart` comes out. See docs/reference/charts.md."""
