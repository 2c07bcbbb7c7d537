//! The borders between the parts, kept by reading the source.
//!
//! Each module may use what the table gives it and nothing else; SQL, Docker, processes and TLS have one home each; there
//! is no shell anywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each module of the server may use. The product stands in its order: each noun may use those above it.
const MAY_USE: &[(&str, &[&str])] = &[
    // The ground.
    ("clock", &[]),
    ("config", &[]),
    ("storage", &[]),
    ("problems", &["clock", "storage"]),
    // The machinery: knows nothing of the product.
    ("vault", &["clock", "storage"]),
    ("process", &["clock"]),
    ("oci", &[]),
    ("s3", &["clock", "oci"]),
    ("providers", &["clock", "oci"]),
    ("docker", &["clock"]),
    ("proxy", &[]),
    ("jobs", &["clock", "problems", "storage"]),
    ("http", &["clock", "config", "jobs", "problems", "storage"]),
    // The product, each also may use ground and machinery.
    ("activity", &[]),
    ("accounts", &["activity"]),
    ("tokens", &["activity", "accounts"]),
    ("settings", &["activity", "accounts"]),
    ("disk", &["activity", "accounts", "settings"]),
    ("credentials", &["activity", "accounts", "settings"]),
    ("registries", &["activity", "accounts", "settings", "disk", "credentials"]),
    ("images", &["activity", "accounts", "settings", "credentials", "registries"]),
    ("git_access", &["activity", "accounts", "settings"]),
    ("builders", &["activity", "accounts", "settings", "credentials", "registries"]),
    (
        "builds",
        &["activity", "accounts", "settings", "disk", "credentials", "registries", "images", "git_access", "builders"],
    ),
    ("services", &["activity", "accounts", "settings", "credentials", "registries", "images", "builders", "builds"]),
    ("triggers", &["activity", "accounts", "builds", "services"]),
    ("retention", &["activity", "accounts", "settings", "credentials", "registries", "images", "builds", "services"]),
    ("cleanup", &["activity", "accounts", "settings", "disk", "registries", "builders", "builds", "services"]),
];
/// From here on a module of the table is part of the product.
const FIRST_OF_PRODUCT: &str = "activity";
/// Wires everything.
const WIRING: [&str; 3] = ["start", "main", "lib"];

/// A source file: its path from the root of the repository, and its code without comments and without its unit tests.
struct Source {
    path: String,
    code: String,
}

impl Source {
    /// `src/oci/auth.rs` → `oci`.
    fn module(&self) -> &str {
        let rest = self.path.strip_prefix("src/").unwrap_or(&self.path);
        rest.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                let path = path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
                found.push(Source { path, code: code(&text) });
            }
        }
    }
    assert!(found.len() > 3, "{folder} has no sources");
    found
}

/// The product's own code: not the integration tests, not the parts that stand in for others in tests.
fn server() -> Vec<Source> {
    let mut all = sources("src");
    all.retain(|source| !matches!(source.module(), "tests" | "testing"));
    all
}

/// Without line comments, blank lines, and what follows `#[cfg(test)] mod tests`.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that the code names: `crate::x` and `crate::{x::…, y}`.
fn used_modules(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    let word = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    for rest in code.split("crate::").skip(1) {
        let Some(inner) = rest.strip_prefix('{') else {
            used.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut at_start = true;
        for (index, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_start = true,
                _ if c.is_whitespace() => {}
                _ if at_start => {
                    used.push(word(&inner[index..]));
                    at_start = false;
                }
                _ => {}
            }
        }
    }
    used.retain(|name| !name.is_empty());
    used
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let order = |name: &str| MAY_USE.iter().position(|(module, _)| *module == name);
    let product = order(FIRST_OF_PRODUCT).expect("it is in the table");
    let mut broken = Vec::new();
    for source in server() {
        let module = source.module();
        if WIRING.contains(&module) {
            continue;
        }
        let Some(allowed) = table.get(module) else {
            broken.push(format!("{}: the module {module} isn't in the table", source.path));
            continue;
        };
        let is_product = order(module).is_some_and(|place| place >= product);
        for used in used_modules(&source.code) {
            let below_product = order(&used).is_some_and(|place| place < product);
            if used != module && !allowed.contains(&used.as_str()) && !(is_product && below_product) {
                broken.push(format!("{} uses {used}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Fails when a word is used in a file that isn't its home.
fn has_one_home(words: &[&str], is_home: impl Fn(&str) -> bool, files: Vec<Source>) {
    let mut broken = Vec::new();
    for source in files.iter().filter(|source| !is_home(&source.path)) {
        for word in words.iter().filter(|word| source.code.contains(**word)) {
            broken.push(format!("{} has {word}", source.path));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn sql_is_in_stores() {
    let is_home = |path: &str| {
        let file = path.rsplit('/').next().unwrap_or_default();
        file.starts_with("store")
            || ["src/storage/", "src/vault/", "src/jobs/", "src/activity/"].iter().any(|home| path.starts_with(home))
            || path == "src/http/session.rs"
    };
    has_one_home(&["sqlx::query", "sqlx::raw_sql", "QueryBuilder", "query_as(", "query_scalar("], is_home, server());
}

#[test]
fn docker_is_known_in_one_place() {
    has_one_home(&["bollard"], |path| path.starts_with("src/docker/"), server());
}

#[test]
fn registries_are_asked_in_one_place() {
    has_one_home(&["reqwest", "rustls"], |path| path.starts_with("src/oci/"), server());
}

/// I3: programs are started in one place, and never through a shell.
#[test]
fn programs_start_in_one_place_and_without_a_shell() {
    // The command line's own builder has the same name.
    let is_home = |path: &str| path.starts_with("src/process/") || path == "src/main.rs";
    has_one_home(&["Command::new", "process::Command"], is_home, server());
    let shells = ["\"sh\"", "\"bash\"", "\"dash\"", "/bin/sh\"", "/bin/bash\"", "\"CMD-SHELL\"", "\"eval\"", "\"-lc\""];
    has_one_home(&shells, |_| false, server());
    // git's own `-c name=value`.
    has_one_home(&["\"-c\""], |path| path == "src/builds/git.rs", server());
}

#[test]
fn the_app_knows_nothing_of_the_server_and_the_model_nothing_of_the_web() {
    has_one_home(&["slipway::", "sqlx", "bollard", "std::process"], |_| false, sources("app/src"));
    has_one_home(
        &["leptos", "web_sys", "crate::api", "crate::pages", "crate::ui"],
        |_| false,
        sources("app/src/model"),
    );
}

/// Neither unfinished nor careless: what the lints don't say everywhere.
#[test]
fn nothing_is_left_open() {
    let mut all = server();
    all.extend(sources("app/src"));
    has_one_home(&["unimplemented!(", "todo!(", "dbg!(", "#[allow(", "std::process::exit("], |_| false, all);
}

#[test]
fn no_file_is_longer_than_500_lines_of_code() {
    let mut all = sources("src");
    all.extend(sources("app/src"));
    let long = all.iter().map(|source| (source.code.lines().count(), &source.path)).filter(|(lines, _)| *lines > 500);
    let long: Vec<_> = long.collect();
    assert!(long.is_empty(), "split these: {long:?}");
}

#[test]
fn used_modules_are_found_in_all_forms_of_use() {
    let used =
        used_modules("use crate::clock::{Clock, random}; use crate::{jobs::{self, Lane}, vault}; crate::oci::x()");
    assert_eq!(used, ["clock", "jobs", "vault", "oci"]);
}
