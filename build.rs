//! Makes Cargo look at what is embedded: the site that `scripts/build-site` made, and the migrations.
//!
//! Macros that embed folders don't see new files by themselves. The manifest names every file of the site by its
//! content, so its text, put into the crate's environment, changes when any of them does.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=target/site/manifest.json");
    let manifest = std::fs::read_to_string("target/site/manifest.json").unwrap_or_default();
    println!("cargo::rustc-env=SLIPWAY_SITE={}", manifest.split_whitespace().collect::<String>());
}
