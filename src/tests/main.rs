//! Integration tests: one binary; the folders repeat the nouns.
