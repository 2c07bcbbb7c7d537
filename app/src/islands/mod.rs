//! The only code that runs in a browser. A page is complete without it.
