//! Whose rules a registry follows: address, user name, what token is needed, how it lists.
//!
//! Facts from the providers' documentation; the server's adapters (`src/providers`) act on them.

use super::image_ref::RegistryHost;
use serde::{Deserialize, Serialize};

/// Whose rules a registry follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Docker Hub.
    DockerHub,
    /// GitHub's container registry, `ghcr.io`.
    Ghcr,
    /// GitLab, its own or somebody's.
    #[serde(rename = "gitlab")]
    Gitlab,
    /// Google Artifact Registry.
    GoogleArtifact,
    /// Amazon's Elastic Container Registry.
    Ecr,
    /// Azure's container registry.
    Acr,
    /// Harbor.
    Harbor,
    /// Quay, Red Hat's or somebody's.
    Quay,
    /// Gitea and Forgejo.
    Gitea,
    /// DigitalOcean.
    DigitalOcean,
    /// Anything that speaks the registry protocol.
    Generic,
}

impl Provider {
    /// All, the most used first, the general one last.
    pub const ALL: [Self; 11] = [
        Self::DockerHub,
        Self::Ghcr,
        Self::Gitlab,
        Self::GoogleArtifact,
        Self::Ecr,
        Self::Acr,
        Self::Harbor,
        Self::Quay,
        Self::Gitea,
        Self::DigitalOcean,
        Self::Generic,
    ];

    /// As forms and the database spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DockerHub => "docker-hub",
            Self::Ghcr => "ghcr",
            Self::Gitlab => "gitlab",
            Self::GoogleArtifact => "google-artifact",
            Self::Ecr => "ecr",
            Self::Acr => "acr",
            Self::Harbor => "harbor",
            Self::Quay => "quay",
            Self::Gitea => "gitea",
            Self::DigitalOcean => "digital-ocean",
            Self::Generic => "generic",
        }
    }

    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DockerHub => "Docker Hub",
            Self::Ghcr => "GitHub (GHCR)",
            Self::Gitlab => "GitLab",
            Self::GoogleArtifact => "Google Artifact Registry",
            Self::Ecr => "AWS ECR",
            Self::Acr => "Azure ACR",
            Self::Harbor => "Harbor",
            Self::Quay => "Quay",
            Self::Gitea => "Gitea / Forgejo",
            Self::DigitalOcean => "DigitalOcean",
            Self::Generic => "Another registry",
        }
    }

    /// Whether it is found at hosts of its own alone, which [`Provider::of_host`] knows.
    pub fn has_own_hosts(self) -> bool {
        matches!(self, Self::DockerHub | Self::Ghcr | Self::GoogleArtifact | Self::Ecr | Self::Acr | Self::DigitalOcean)
    }

    /// What the host says, as far as it does.
    pub fn of_host(host: &RegistryHost) -> Self {
        let name = host.as_str().rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        match name {
            _ if host.is_docker_hub() => Self::DockerHub,
            "ghcr.io" => Self::Ghcr,
            "quay.io" => Self::Quay,
            "registry.digitalocean.com" => Self::DigitalOcean,
            "registry.gitlab.com" => Self::Gitlab,
            _ if name.ends_with("-docker.pkg.dev") => Self::GoogleArtifact,
            _ if name.ends_with(".azurecr.io") => Self::Acr,
            _ if name.contains(".dkr.ecr.") && name.contains(".amazonaws.com") => Self::Ecr,
            _ => Self::Generic,
        }
    }
}

impl std::str::FromStr for Provider {
    type Err = super::image_ref::Malformed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or_else(|| super::image_ref::Malformed("Choose one of the providers.".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_hosts_are_known() {
        for provider in Provider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
            let json = serde_json::to_string(&provider).expect("JSON");
            assert_eq!(json, format!("\"{}\"", provider.as_str()));
        }
        for (host, provider) in [
            ("docker.io", Provider::DockerHub),
            ("ghcr.io", Provider::Ghcr),
            ("europe-west3-docker.pkg.dev", Provider::GoogleArtifact),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", Provider::Ecr),
            ("shop.azurecr.io", Provider::Acr),
            ("registry.example.com:5050", Provider::Generic),
        ] {
            assert_eq!(host.parse().map(|host| Provider::of_host(&host)), Ok(provider), "{host}");
        }
    }
}
