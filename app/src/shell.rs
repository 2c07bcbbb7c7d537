//! The HTML document.
