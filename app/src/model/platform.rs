//! What an image runs on: operating system, architecture, variant (OCI image specification, `platform` of a descriptor).

use super::image_ref::Malformed;
use serde::{Deserialize, Serialize};

/// `linux/amd64`, `linux/arm/v7`: normalised as containerd does (`arm64/v8` is `arm64`, `arm` is `arm/v7`, `x86_64` is
/// `amd64`, `aarch64` is `arm64`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform(String);
super::image_ref::text_type!(Platform);

impl Platform {
    /// Of its parts, as manifests, configurations and Swarm nodes give them.
    pub fn of(os: &str, architecture: &str, variant: Option<&str>) -> Result<Self, Malformed> {
        let fits = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.len() <= 32
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        let variant = variant.filter(|variant| !variant.is_empty());
        if !fits(os) || !fits(architecture) || !variant.is_none_or(fits) {
            return Err(Malformed("A platform looks like linux/amd64 or linux/arm/v7.".into()));
        }
        let (os, architecture) = (os.to_ascii_lowercase(), architecture.to_ascii_lowercase());
        let variant = variant.map(str::to_ascii_lowercase);
        let (architecture, variant) = match (architecture.as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64", None),
            ("aarch64" | "arm64", None | Some("8" | "v8")) => ("arm64", None),
            ("armhf", _) | ("arm", None | Some("7")) => ("arm", Some("v7")),
            ("armel", _) | ("arm", Some("6")) => ("arm", Some("v6")),
            ("i386" | "i686" | "x86", None) => ("386", None),
            (architecture, variant) => (architecture, variant),
        };
        Ok(Self(match variant {
            Some(variant) => format!("{os}/{architecture}/{variant}"),
            None => format!("{os}/{architecture}"),
        }))
    }

    /// Whether a node of platform `self` runs images for `image`: the same, or what its processor also understands
    /// (containerd's `platforms.Only`).
    pub fn runs(&self, image: &Self) -> bool {
        if self == image {
            return true;
        }
        let below: &[&str] = match self.0.as_str() {
            "linux/amd64" => &["linux/386"],
            "linux/arm64" => &["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"],
            "linux/arm/v7" => &["linux/arm/v6", "linux/arm/v5"],
            "linux/arm/v6" => &["linux/arm/v5"],
            _ => &[],
        };
        below.contains(&image.as_str())
    }
}

impl std::str::FromStr for Platform {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.splitn(3, '/');
        let (os, architecture) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        Self::of(os, architecture, parts.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_normalised() {
        for (text, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("Linux/arm/v6", "linux/arm/v6"),
            ("windows/amd64", "windows/amd64"),
        ] {
            assert_eq!(text.parse::<Platform>().map(String::from), Ok(expected.into()), "{text}");
        }
        for text in ["", "linux", "linux/", "/amd64", "linux/a b", "linux/arm/v7/x", "a/../b"] {
            assert!(text.parse::<Platform>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_node_runs_its_own_kind_and_lower_variants() {
        let platform = |text: &str| text.parse::<Platform>().expect("a platform");
        assert!(platform("linux/amd64").runs(&platform("linux/amd64")));
        assert!(platform("linux/arm/v7").runs(&platform("linux/arm/v6")));
        assert!(platform("linux/arm64/v8").runs(&platform("linux/arm")));
        assert!(platform("linux/x86_64").runs(&platform("linux/386")));
        assert!(!platform("linux/amd64").runs(&platform("windows/amd64")));
        assert!(!platform("linux/amd64").runs(&platform("linux/arm64")));
        assert!(!platform("linux/arm/v6").runs(&platform("linux/arm/v7")));
    }
}
