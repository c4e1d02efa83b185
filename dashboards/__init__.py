"""
The page: every product's price, live, in a browser.

One Feed per server process asks the context and cuts frames; one Store per session picks its products out of them;
one component draws them. This package imports `poeticoins` and nothing beneath it, and alone imports Panel and Bokeh.
"""
