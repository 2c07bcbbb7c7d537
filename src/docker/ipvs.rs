//! Whether the kernel has IP_VS, without which the Swarm's virtual IPs and routing mesh don't forward.

use std::path::Path;

/// Looks below `root` (`/` but in tests): loaded, built in, or installed as a module that Docker can load.
pub fn has_ipvs(root: &Path) -> bool {
    if root.join("proc/net/ip_vs").exists() {
        return true;
    }
    let Ok(release) = std::fs::read_to_string(root.join("proc/sys/kernel/osrelease")) else { return false };
    ["lib/modules", "usr/lib/modules"].iter().any(|modules| {
        let folder = root.join(modules).join(release.trim());
        ["modules.builtin", "modules.dep"]
            .iter()
            .any(|list| std::fs::read_to_string(folder.join(list)).is_ok_and(|text| text.lines().any(names_ipvs)))
    })
}

/// `kernel/net/netfilter/ipvs/ip_vs.ko[.xz|.zst|.gz][: …]`
fn names_ipvs(line: &str) -> bool {
    let path = line.split(':').next().unwrap_or_default();
    path.rsplit('/').next().is_some_and(|file| file == "ip_vs.ko" || file.starts_with("ip_vs.ko."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, text).expect("a file");
        }
        root
    }

    #[test]
    fn it_is_found_loaded_built_in_or_as_a_module() {
        let release = ("proc/sys/kernel/osrelease", "6.1.0-1\n");
        let builtin =
            ("lib/modules/6.1.0-1/modules.builtin", "kernel/fs/ext4.ko\nkernel/net/netfilter/ipvs/ip_vs.ko\n");
        let module =
            ("usr/lib/modules/6.1.0-1/modules.dep", "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/lib/x.ko\n");
        assert!(has_ipvs(root(&[("proc/net/ip_vs", "")]).path()));
        assert!(has_ipvs(root(&[release, builtin]).path()));
        assert!(has_ipvs(root(&[release, module]).path()));
    }

    #[test]
    fn it_is_not_found_elsewhere() {
        let release = ("proc/sys/kernel/osrelease", "6.1.0-1\n");
        let other = ("lib/modules/5.0/modules.dep", "kernel/net/netfilter/ipvs/ip_vs.ko:\n");
        let only_needed = ("lib/modules/6.1.0-1/modules.dep", "kernel/x/ip_vs_rr.ko: kernel/x/ip_vs.ko\n");
        assert!(!has_ipvs(root(&[]).path()));
        assert!(!has_ipvs(root(&[release, other]).path()));
        assert!(!has_ipvs(root(&[release, only_needed]).path()));
    }
}
