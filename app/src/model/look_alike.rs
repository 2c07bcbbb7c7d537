//! Hosts that look like a well-known registry and are none: a slip of the finger sends a password to whoever registered
//! `ghrc.io`.

use super::image_ref::RegistryHost;

/// Well-known registries. A host that is one of them or lies below one is nobody's imitation.
const KNOWN: [&str; 14] = [
    "docker.io",
    "docker.com",
    "ghcr.io",
    "quay.io",
    "gcr.io",
    "registry.gitlab.com",
    "registry.digitalocean.com",
    "azurecr.io",
    "pkg.dev",
    "amazonaws.com",
    "public.ecr.aws",
    "mcr.microsoft.com",
    "codeberg.org",
    "lscr.io",
];

/// The well-known host that this one looks like without being it.
pub fn imitated(host: &RegistryHost) -> Option<&'static str> {
    let name = host.as_str().rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    if !name.contains('.') || name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok() {
        return None;
    }
    if KNOWN.iter().any(|known| is_below(name, known)) {
        return None;
    }
    let plain = seen(name);
    KNOWN.into_iter().find(|known| {
        // `ghcr.io.evil.example`, `ghcr-io.example`.
        let dotted = format!(".{}.", name.replace('-', "."));
        if dotted.contains(&format!(".{known}.")) {
            return true;
        }
        // `ghrc.io`, `shop.azurcr.io`: as many labels from the right as the known one has.
        let labels: Vec<&str> = plain.split('.').collect();
        let count = known.split('.').count();
        let Some(start) = labels.len().checked_sub(count) else { return false };
        let tail = labels[start..].join(".");
        let slips = if known.len() < 9 { 1 } else { 2 };
        distance(&tail, known) <= slips
    })
}

fn is_below(name: &str, known: &str) -> bool {
    name.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// As a hurried eye reads it: `0` as `o`, `rn` as `m`.
fn seen(name: &str) -> String {
    name.replace("rn", "m").replace("vv", "w").replace('0', "o").replace(['1', 'i'], "l")
}

/// How many letters were left out, put in, exchanged or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (seen(a).chars().collect(), seen(b).chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str) -> Option<&'static str> {
        imitated(&host.parse().unwrap_or_else(|error| panic!("{host}: {error}")))
    }

    #[test]
    fn imitations_are_seen() {
        for (host, known) in [
            ("ghrc.io", "ghcr.io"),
            ("ghcr.lo", "ghcr.io"),
            ("gchr.io", "ghcr.io"),
            ("ghcr.io.evil.example", "ghcr.io"),
            ("docker.com.evil", "docker.com"),
            ("index.docker.io.example.net:443", "docker.io"),
            ("ghcr-io.example", "ghcr.io"),
            ("d0cker.io", "docker.io"),
            ("registry.gitlap.com", "registry.gitlab.com"),
            ("registry-1.dokcer.io", "docker.io"),
            ("shop.azurcr.io", "azurecr.io"),
            ("quai.io", "quay.io"),
            ("123456789012.dkr.ecr.eu-central-1.arnazonaws.com", "amazonaws.com"),
        ] {
            assert_eq!(of(host), Some(known), "{host}");
        }
    }

    #[test]
    fn honest_hosts_arent_bothered() {
        for host in [
            "docker.io",
            "registry-1.docker.io",
            "ghcr.io",
            "gcr.io",
            "eu.gcr.io",
            "quay.io",
            "lscr.io",
            "shop.azurecr.io",
            "europe-west3-docker.pkg.dev",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
            "registry.example.com:5000",
            "harbor.example.org",
            "git.example.com",
            "localhost:5000",
            "registry:5000",
            "127.0.0.1:5600",
            "10.0.0.7",
            "[::1]:5000",
            "docker.example.com",
            "dev.example.com",
        ] {
            assert_eq!(of(host), None, "{host}");
        }
    }
}
