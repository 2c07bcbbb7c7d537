//! Control groups that hold caps of builds. BuildKit inside the engine knows no caps of its own for a build, but runs its
//! commands below a group that it is given (`--cgroup-parent`), and that group can have them.
//!
//! What must always hold: only groups below our own are made and removed; where caps can't hold, that is said and not
//! passed over. What the engine itself does for a build (unpacking, compressing, pushing) isn't in the group.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where the kernel shows control groups.
const ROOT: &str = "/sys/fs/cgroup";
/// The group that ours are below.
const OURS: &str = "slipway";
/// The number of the machine's own name space of control groups (`PROC_CGROUP_INIT_INO` of the kernel).
const MACHINE: u64 = 0xEFFF_FFFB;
/// Microseconds that quotas are of.
const PERIOD: u64 = 100_000;
/// Controllers of version 1 that we write to.
const V1: [&str; 2] = ["cpu", "memory"];

/// What a build may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Hundredths of a core.
    pub cpus: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Makes groups for one engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ControlGroups {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    docker_host: String,
    /// Of one data folder: what is below belongs to nobody else.
    name: String,
    found: OnceLock<Result<Version, String>>,
    /// Groups that still had processes when they were given back.
    left: Mutex<Vec<String>>,
}

impl ControlGroups {
    /// For the engine at this address; `owner` is a name for what belongs to this Slipway alone. Looks at nothing yet.
    pub fn new(docker_host: &str, owner: &str) -> Self {
        Self::at(Path::new(ROOT), docker_host, owner)
    }

    fn at(root: &Path, docker_host: &str, owner: &str) -> Self {
        Self {
            inner: Arc::new(Inner {
                root: root.to_owned(),
                docker_host: docker_host.to_owned(),
                name: format!("{OURS}/{owner}"),
                found: OnceLock::new(),
                left: Mutex::default(),
            }),
        }
    }

    /// By what caps hold here, or why they don't, as a sentence.
    pub fn hold(&self) -> Result<&'static str, &str> {
        match self.inner.found.get_or_init(|| self.inner.look()) {
            Ok(Version::One) => Ok("control groups, version 1"),
            Ok(Version::Two) => Ok("control groups, version 2"),
            Err(why) => Err(why),
        }
    }

    /// A group with these caps. It is given back when it is dropped.
    pub fn make(&self, name: &str, caps: Caps) -> io::Result<ControlGroup> {
        let version = match self.inner.found.get_or_init(|| self.inner.look()) {
            Ok(version) => *version,
            Err(why) => return Err(io::Error::new(io::ErrorKind::Unsupported, why.clone())),
        };
        self.clear();
        let group = ControlGroup { inner: Arc::clone(&self.inner), path: format!("{}/{name}", self.inner.name) };
        match version {
            Version::One => self.inner.make_one(&group.path, caps)?,
            Version::Two => self.inner.make_two(&group.path, caps)?,
        }
        Ok(group)
    }

    /// Removes what an earlier run of the program left. At start, before the workers.
    pub fn sweep(&self) {
        if let Err(error) = self.inner.remove(&self.inner.name) {
            tracing::debug!(%error, "control groups of an earlier run can't be removed yet");
        }
    }

    /// Tries again to remove what was in use before.
    fn clear(&self) {
        let left = std::mem::take(&mut *self.inner.left());
        for path in left {
            self.inner.give_back(&path);
        }
    }
}

/// One group. Gone when it is dropped, or as soon as nothing runs in it.
#[derive(Debug)]
pub struct ControlGroup {
    inner: Arc<Inner>,
    path: String,
}

impl ControlGroup {
    /// For `--cgroup-parent`.
    pub fn parent(&self) -> String {
        format!("/{}", self.path)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        self.inner.give_back(&self.path);
    }
}

impl Drop for Inner {
    /// Leaves no empty groups on the machine.
    fn drop(&mut self) {
        if matches!(self.found.get(), Some(Ok(_))) && self.remove(&self.name).is_ok() {
            let hierarchies = std::fs::read_dir(&self.root).into_iter().flatten().flatten().map(|entry| entry.path());
            for hierarchy in hierarchies.chain([self.root.clone()]) {
                // Fails while another Slipway has groups there.
                let _ = std::fs::remove_dir(hierarchy.join(OURS));
            }
        }
    }
}

impl Inner {
    fn left(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, path: &str) {
        if self.remove(path).is_err() {
            self.left().push(path.to_owned());
        }
    }

    /// Which version there is, once it is sure that groups with caps can be made and are seen by the engine.
    fn look(&self) -> Result<Version, String> {
        if !self.docker_host.starts_with("unix://") {
            return Err("Docker runs on another machine, whose control groups Slipway can't make.".into());
        }
        if self.root == Path::new(ROOT)
            && std::fs::metadata("/proc/self/ns/cgroup").map(|meta| meta.ino()).ok() != Some(MACHINE)
        {
            return Err("Slipway runs in a container, whose control groups aren't the machine's.".into());
        }
        let version = if self.root.join("cgroup.controllers").exists() {
            Version::Two
        } else if V1.iter().all(|controller| self.root.join(controller).is_dir()) {
            Version::One
        } else {
            return Err("This machine's kernel shows no control groups for CPU and memory.".into());
        };
        let may = |made: io::Result<()>| {
            made.map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "Slipway may not make control groups: it doesn't run as root, or they are read-only to it."
                        .to_owned()
                }
                _ => format!("Slipway can't make control groups: {error}."),
            })
        };
        // With small caps that everything fits in, so that it is known now and not in the middle of a build.
        let trial = format!("{}/trial", self.name);
        let caps = Caps { cpus: Some(100), memory: Some(1 << 30) };
        let made = match version {
            Version::One => self.make_one(&trial, caps),
            Version::Two => self.make_two(&trial, caps),
        };
        let _ = self.remove(&trial);
        may(made)?;
        Ok(version)
    }

    fn make_one(&self, path: &str, caps: Caps) -> io::Result<()> {
        let [cpu, memory] = V1.map(|controller| self.root.join(controller).join(path));
        std::fs::create_dir_all(&cpu)?;
        std::fs::create_dir_all(&memory)?;
        if let Some(hundredths) = caps.cpus {
            std::fs::write(cpu.join("cpu.cfs_period_us"), PERIOD.to_string())?;
            std::fs::write(cpu.join("cpu.cfs_quota_us"), quota(hundredths).to_string())?;
        }
        if let Some(bytes) = caps.memory {
            std::fs::write(memory.join("memory.limit_in_bytes"), bytes.to_string())?;
            // Memory and swap together; kernels without accounting of swap don't have it.
            let swap = memory.join("memory.memsw.limit_in_bytes");
            if swap.exists() {
                std::fs::write(swap, bytes.to_string())?;
            }
        }
        Ok(())
    }

    fn make_two(&self, path: &str, caps: Caps) -> io::Result<()> {
        let group = self.root.join(path);
        std::fs::create_dir_all(&group)?;
        // Controllers are handed down from group to group.
        let mut above = Some(Path::new(path));
        let mut groups = Vec::new();
        while let Some(parent) = above.and_then(Path::parent) {
            groups.push(self.root.join(parent));
            above = (!parent.as_os_str().is_empty()).then_some(parent);
        }
        for parent in groups.into_iter().rev() {
            std::fs::write(parent.join("cgroup.subtree_control"), "+cpu +memory")?;
        }
        if let Some(hundredths) = caps.cpus {
            std::fs::write(group.join("cpu.max"), format!("{} {PERIOD}", quota(hundredths)))?;
        }
        if let Some(bytes) = caps.memory {
            std::fs::write(group.join("memory.max"), bytes.to_string())?;
            let swap = group.join("memory.swap.max");
            if swap.exists() {
                std::fs::write(swap, "0")?;
            }
        }
        Ok(())
    }

    /// Removes a group and those below it, in all hierarchies: the engine makes its own in each of them.
    fn remove(&self, path: &str) -> io::Result<()> {
        if self.root.join("cgroup.controllers").exists() {
            return remove_tree(&self.root.join(path));
        }
        let mut outcome = Ok(());
        let Ok(hierarchies) = std::fs::read_dir(&self.root) else { return Ok(()) };
        for hierarchy in hierarchies.flatten() {
            outcome = remove_tree(&hierarchy.path().join(path)).and(outcome);
        }
        outcome
    }
}

/// Microseconds of each period.
fn quota(hundredths: u32) -> u64 {
    u64::from(hundredths) * PERIOD / 100
}

/// Groups are removed from the leaves on; their files go with them, and can't be removed.
fn remove_tree(group: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(group) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    match std::fs::remove_dir(group) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: PathBuf) -> String {
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The kernel makes a group's files by itself; here they are plain files.
    #[test]
    fn version_two_hands_controllers_down_and_writes_the_caps() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        std::fs::write(root.join("cgroup.controllers"), "cpu memory").expect("a file");
        let groups = ControlGroups::at(root, "unix:///docker.sock", "abc");
        assert_eq!(groups.hold(), Ok("control groups, version 2"));
        let group = groups.make("one", Caps { cpus: Some(150), memory: Some(64 << 20) }).expect("made");
        assert_eq!(group.parent(), "/slipway/abc/one");
        let made = root.join("slipway/abc/one");
        assert_eq!(read(made.join("cpu.max")), "150000 100000");
        assert_eq!(read(made.join("memory.max")), (64 << 20).to_string());
        for parent in ["", "slipway", "slipway/abc"] {
            assert_eq!(read(root.join(parent).join("cgroup.subtree_control")), "+cpu +memory", "{parent}");
        }
        assert!(!made.join("cgroup.subtree_control").exists(), "the engine hands down what it needs");
    }

    #[test]
    fn version_one_writes_to_both_hierarchies() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for controller in V1 {
            std::fs::create_dir(root.join(controller)).expect("a folder");
        }
        let groups = ControlGroups::at(root, "unix:///docker.sock", "abc");
        assert_eq!(groups.hold(), Ok("control groups, version 1"));
        let _group = groups.make("one", Caps { cpus: Some(50), memory: None }).expect("made");
        assert_eq!(read(root.join("cpu/slipway/abc/one/cpu.cfs_quota_us")), "50000");
        assert!(root.join("memory/slipway/abc/one").is_dir());
        assert!(!root.join("memory/slipway/abc/one/memory.limit_in_bytes").exists(), "no cap, no limit");
    }

    #[test]
    fn where_caps_cannot_hold_the_reason_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let far = ControlGroups::at(folder.path(), "tcp://10.0.0.1:2375", "abc");
        assert!(far.hold().is_err_and(|why| why.contains("another machine")));
        assert!(far.make("one", Caps::default()).is_err());
        let none = ControlGroups::at(folder.path(), "unix:///docker.sock", "abc");
        assert!(none.hold().is_err_and(|why| why.contains("no control groups")));
    }
}
