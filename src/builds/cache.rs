//! Where BuildKit keeps what a later build can use again: with the builder, in the registry, in a folder of Slipway's.
//!
//! What must always hold: a cache that can't be read or written never fails a build; the folders stay within their budget; a
//! folder that a build reads isn't removed under it.

use super::folder::{private, remove};
use app::model::build_options::{CACHE_TAG, CacheKind};
use app::model::id::ServiceId;
use app::model::image_ref::ImageRef;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// What all folders together may hold.
pub(super) const BUDGET: u64 = 10_000_000_000;

/// Values of `--cache-from` and `--cache-to`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caching {
    pub(super) from: Vec<String>,
    pub(super) to: Vec<String>,
}

/// For a push of this name. `place` is the folder of a local cache; `is_fresh`: nothing is used again, but kept for later.
pub(super) fn caching(kind: CacheKind, reference: &ImageRef, place: Option<&Place>, is_fresh: bool) -> Caching {
    let caching = match (kind, place) {
        (CacheKind::Registry, _) => {
            let name = format!("{}/{}:{CACHE_TAG}", reference.host, reference.repository);
            Caching {
                from: vec![format!("type=registry,ref={name}")],
                // As an image of OCI's kind, which registries such as ECR and Harbor take as well.
                to: vec![format!(
                    "type=registry,ref={name},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"
                )],
            }
        }
        (CacheKind::Local, Some(place)) => local(place).unwrap_or_default(),
        (CacheKind::Builder | CacheKind::Off | CacheKind::Local, _) => Caching::default(),
    };
    if is_fresh { Caching { from: Vec::new(), ..caching } } else { caching }
}

fn local(place: &Place) -> Option<Caching> {
    let from = place.kept.join("index.json").is_file();
    let from = if from { vec![format!("type=local,{}", field("src", &place.kept)?)] } else { Vec::new() };
    let to = format!("type=local,{},mode=max,ignore-error=true", field("dest", &place.new)?);
    Some(Caching { from, to: vec![to] })
}

/// buildx reads these values as a line of CSV.
fn field(name: &str, path: &Path) -> Option<String> {
    let path = path.to_str()?;
    Some(if path.contains([',', '"', '\n', '\r']) {
        format!("\"{name}={}\"", path.replace('"', "\"\""))
    } else {
        format!("{name}={path}")
    })
}

/// Local caches, `cache/<service>` in the data folder.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    root: PathBuf,
    budget: Arc<AtomicU64>,
    in_use: Arc<Mutex<HashSet<String>>>,
}

/// The cache of a service while a build uses it.
#[derive(Debug)]
pub(super) struct Place {
    shelf: Shelf,
    name: String,
    kept: PathBuf,
    /// BuildKit only ever adds to a cache, so each build writes a new one, which then takes the place of the old.
    new: PathBuf,
}

impl Shelf {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, budget: Arc::new(AtomicU64::new(BUDGET)), in_use: Arc::default() }
    }

    /// Bytes that all folders together may hold from now on.
    pub(super) fn set_budget(&self, bytes: u64) {
        self.budget.store(bytes, Ordering::Relaxed);
    }

    /// The place of a service's cache; one build of a service runs at a time.
    pub(super) fn take(&self, service: &ServiceId) -> io::Result<Place> {
        private(&self.root)?;
        let name = service.to_string();
        let place = Place {
            kept: self.root.join(&name),
            new: self.root.join(format!("{name}.new")),
            shelf: self.clone(),
            name: name.clone(),
        };
        remove(&place.new)?;
        self.in_use().insert(name);
        Ok(place)
    }

    /// Removes what an earlier run of the program left half done, caches of services that aren't there any more, and what is
    /// over the budget. At start.
    pub(super) fn sweep(&self, services: &[String]) -> io::Result<()> {
        for (name, path) in self.folders()? {
            let is_used = self.in_use().contains(name.trim_end_matches(".new"));
            if !is_used && !services.contains(&name) {
                remove(&path)?;
            }
        }
        self.trim()
    }

    /// Removes caches until the rest fits, those first that were used longest ago.
    fn trim(&self) -> io::Result<()> {
        let mut caches: Vec<(SystemTime, u64, String, PathBuf)> = Vec::new();
        for (name, path) in self.folders()? {
            let used = std::fs::symlink_metadata(&path)?.modified()?;
            caches.push((used, size(&path)?, name, path));
        }
        caches.sort();
        let mut total: u64 = caches.iter().map(|(_, size, ..)| size).sum();
        let budget = self.budget.load(Ordering::Relaxed);
        for (_, size, name, path) in caches {
            if total <= budget {
                break;
            }
            if !self.in_use().contains(name.trim_end_matches(".new")) {
                remove(&path)?;
                total = total.saturating_sub(size);
                tracing::info!(service.id = %name, bytes = size, "removed a build cache: there is more than the budget");
            }
        }
        Ok(())
    }

    fn folders(&self) -> io::Result<Vec<(String, PathBuf)>> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| entry.map(|it| (it.file_name().to_string_lossy().into_owned(), it.path()))).collect()
    }

    fn in_use(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The build succeeded: what it wrote, if it wrote all of it, takes the place of the old; then all is trimmed.
    pub(super) fn keep(self) -> io::Result<()> {
        if self.new.join("index.json").is_file() {
            // Between the two lines there is no cache: the next build is slower then, and nothing else.
            remove(&self.kept)?;
            std::fs::rename(&self.new, &self.kept)?;
        }
        let shelf = self.shelf.clone();
        drop(self);
        shelf.trim()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.new) {
            tracing::warn!(path = %self.new.display(), %error, "a build cache can't be removed; the next start tries again");
        }
        self.shelf.in_use().remove(&self.name);
    }
}

/// Bytes of all files in a folder. Follows no links.
fn size(path: &Path) -> io::Result<u64> {
    let meta = std::fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        return Ok(meta.len());
    }
    std::fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> ImageRef {
        "registry.example.com:5000/shop/web:c0ffee".parse().expect("a reference")
    }

    fn service(n: u8) -> ServiceId {
        ServiceId::from_random([n; 8])
    }

    /// As BuildKit writes it.
    fn write(place: &Place, bytes: usize) {
        std::fs::create_dir_all(place.new.join("blobs/sha256")).expect("a folder");
        std::fs::write(place.new.join("blobs/sha256/x"), vec![0; bytes]).expect("a file");
        std::fs::write(place.new.join("index.json"), "{}").expect("a file");
    }

    fn left(shelf: &Shelf) -> Vec<String> {
        let mut names: Vec<_> = shelf.folders().expect("a list").into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }

    #[test]
    fn each_kind_has_its_flags() {
        let with = |kind, is_fresh| caching(kind, &reference(), None, is_fresh);
        assert_eq!(with(CacheKind::Builder, false), Caching::default());
        assert_eq!(with(CacheKind::Off, false), Caching::default());
        let registry = with(CacheKind::Registry, false);
        assert_eq!(registry.from, ["type=registry,ref=registry.example.com:5000/shop/web:buildcache"]);
        assert_eq!(
            registry.to,
            ["type=registry,ref=registry.example.com:5000/shop/web:buildcache,mode=max,image-manifest=true,\
              oci-mediatypes=true,ignore-error=true"]
        );
        // Nothing is used again, but what is made now is kept.
        let fresh = with(CacheKind::Registry, true);
        assert!(fresh.from.is_empty() && fresh.to == registry.to);
    }

    #[test]
    fn a_local_cache_is_read_once_it_is_there_and_replaced_as_a_whole() {
        let data = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(data.path().join("a,b/cache"));
        let place = shelf.take(&service(1)).expect("a place");
        let root = data.path().to_str().expect("text");
        let name = service(1);
        let first = caching(CacheKind::Local, &reference(), Some(&place), false);
        assert_eq!(first.from, Vec::<String>::new());
        assert_eq!(first.to, [format!("type=local,\"dest={root}/a,b/cache/{name}.new\",mode=max,ignore-error=true")]);
        write(&place, 100);
        place.keep().expect("kept");
        assert_eq!(left(&shelf), [name.to_string()]);

        let place = shelf.take(&name).expect("a place");
        let second = caching(CacheKind::Local, &reference(), Some(&place), false);
        assert_eq!(second.from, [format!("type=local,\"src={root}/a,b/cache/{name}\"")]);
        write(&place, 7);
        place.keep().expect("kept");
        assert_eq!(size(&shelf.root).expect("a size"), 9);

        // A build that fails, or that couldn't write all of it, leaves the old one.
        let place = shelf.take(&name).expect("a place");
        std::fs::create_dir(&place.new).expect("a folder");
        place.keep().expect("nothing to keep");
        let place = shelf.take(&name).expect("a place");
        write(&place, 100);
        drop(place);
        assert_eq!((left(&shelf), size(&shelf.root).expect("a size")), (vec![name.to_string()], 9));
    }

    #[test]
    fn the_budget_takes_what_was_used_longest_ago_and_nothing_in_use() {
        let data = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(data.path().join("cache"));
        for n in 1..=3 {
            let place = shelf.take(&service(n)).expect("a place");
            write(&place, 1_000);
            place.keep().expect("kept");
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(n));
            let folder = std::fs::File::open(shelf.root.join(service(n).to_string())).expect("a folder");
            folder.set_modified(at).expect("set");
        }
        let in_use = shelf.take(&service(1)).expect("a place");
        shelf.set_budget(2_500);
        shelf.trim().expect("trimmed");
        assert_eq!(left(&shelf), [service(1).to_string(), service(3).to_string()]);
        drop(in_use);
        shelf.set_budget(500);
        shelf.trim().expect("trimmed");
        assert_eq!(left(&shelf), Vec::<String>::new());
    }

    #[test]
    fn a_start_sweeps_what_nobody_uses() {
        let data = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(data.path().join("cache"));
        shelf.sweep(&[]).expect("nothing is there");
        for name in [service(1).to_string(), service(2).to_string(), format!("{}.new", service(1)), "x".into()] {
            std::fs::create_dir_all(shelf.root.join(name)).expect("a folder");
        }
        shelf.sweep(&[service(1).to_string()]).expect("swept");
        assert_eq!(left(&shelf), [service(1).to_string()]);
    }
}
