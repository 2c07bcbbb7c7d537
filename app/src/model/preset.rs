//! What the credential form says and fills in for each provider: address, user name, what token is needed, whose
//! repositories can be listed. Facts from the providers' documentation.

use super::provider::Provider;

/// What the form says for one provider.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// In a few words on the tile.
    pub about: &'static str,
    /// The address, filled in where there is one for everybody.
    pub url: &'static str,
    /// How the address looks.
    pub url_hint: &'static str,
    /// The user name, filled in where there is one for everybody.
    pub username: &'static str,
    /// What the user name is called there.
    pub username_label: &'static str,
    /// What to type.
    pub username_hint: &'static str,
    /// What the password is called there.
    pub password_label: &'static str,
    /// Which rights it needs, and where to get it.
    pub password_hint: &'static str,
    /// Where repositories are listed by owner: what the owners are called, and what to type.
    pub namespaces: Option<(&'static str, &'static str)>,
}

impl Preset {
    /// The facts of one provider.
    pub fn of(provider: Provider) -> &'static Self {
        match provider {
            Provider::DockerHub => &DOCKER_HUB,
            Provider::Ghcr => &GHCR,
            Provider::Gitlab => &GITLAB,
            Provider::GoogleArtifact => &GOOGLE_ARTIFACT,
            Provider::Ecr => &ECR,
            Provider::Acr => &ACR,
            Provider::Harbor => &HARBOR,
            Provider::Quay => &QUAY,
            Provider::Gitea => &GITEA,
            Provider::DigitalOcean => &DIGITAL_OCEAN,
            Provider::Generic => &GENERIC,
        }
    }
}

const GENERIC: Preset = Preset {
    about: "Anything that speaks the registry protocol: registry, zot, Nexus, Artifactory",
    url: "",
    url_hint: "https://registry.example.com, or 127.0.0.1:5000 for a registry on this machine.",
    username: "",
    username_label: "User name",
    username_hint: "",
    password_label: "Password or token",
    password_hint: "An access token with the right to push is better than your password.",
    namespaces: None,
};

const DOCKER_HUB: Preset = Preset {
    about: "docker.io",
    url: "https://docker.io",
    url_hint: "All of Docker Hub's host names are the same to Slipway.",
    username_label: "Docker ID",
    username_hint: "For an organisation's access token: the organisation's name.",
    password_label: "Access token",
    password_hint: "A personal access token (dckr_pat_…) with Read & Write, or Read alone for pulling: \
                    Docker Hub, Account settings, Personal access tokens. Passwords are refused where single sign-on is \
                    enforced.",
    namespaces: Some((
        "Namespaces to list",
        "Docker IDs and organisations whose repositories you want to find; empty: your own.",
    )),
    ..GENERIC
};

const GHCR: Preset = Preset {
    about: "ghcr.io",
    url: "https://ghcr.io",
    url_hint: "",
    username_label: "GitHub user name",
    username_hint: "The account that the token belongs to.",
    password_label: "Personal access token (classic)",
    password_hint: "A classic token with read:packages to pull and write:packages to push: GitHub, Settings, Developer \
                    settings. Fine-grained tokens don't work with packages; with single sign-on the organisation has to \
                    authorise the token.",
    namespaces: Some(("Owners to list", "Users and organisations whose packages you want to find; empty: your own.")),
    ..GENERIC
};

const GITLAB: Preset = Preset {
    about: "registry.gitlab.com, or your own GitLab",
    url: "https://registry.gitlab.com",
    url_hint: "The registry's host, which isn't GitLab's own: registry.gitlab.com, or gitlab.example.com:5050.",
    username_label: "User name",
    username_hint: "Your user name, or a deploy token's; any name for project and group tokens.",
    password_label: "Access token",
    password_hint: "A personal, project, group or deploy token with read_registry to pull and write_registry to push. \
                    For finding images it needs read_api too, which deploy tokens can't have.",
    namespaces: Some(("Groups and projects to list", "Their whole paths, like acme or acme/shop.")),
    ..GENERIC
};

const GOOGLE_ARTIFACT: Preset = Preset {
    about: "europe-west3-docker.pkg.dev and the like",
    url: "",
    url_hint: "The location's host: europe-west3-docker.pkg.dev.",
    username: "_json_key",
    username_label: "User name",
    username_hint: "_json_key for a service account's key, _json_key_base64 for that key in base64.",
    password_label: "Service account key",
    password_hint: "The whole key file (JSON) of a service account with the role Artifact Registry Reader to pull, Writer \
                    to push.",
    namespaces: Some(("Repositories to list", "Project and repository, like my-project/containers.")),
};

const ECR: Preset = Preset {
    about: "<account>.dkr.ecr.<region>.amazonaws.com",
    url: "",
    url_hint: "123456789012.dkr.ecr.eu-central-1.amazonaws.com: account and region stand in it.",
    username_label: "Access key ID",
    username_hint: "Of an IAM user, like AKIA….",
    password_label: "Secret access key",
    password_hint: "Slipway gets the registry's 12-hour password with it and renews that in time. For a temporary session: \
                    secret|session token. The user needs \
                    ecr:GetAuthorizationToken and, to pull and to push, what AmazonEC2ContainerRegistryPowerUser allows.",
    ..GENERIC
};

const ACR: Preset = Preset {
    about: "<name>.azurecr.io",
    url: "",
    url_hint: "https://<name>.azurecr.io",
    username_label: "User name",
    username_hint: "A service principal's application ID, a token's name, or the admin user.",
    password_label: "Client secret or password",
    password_hint: "Roles AcrPull to pull, AcrPush to push; a repository token needs metadata/read to list tags. A client \
                    secret ends on a day: put it in below.",
    ..GENERIC
};

const HARBOR: Preset = Preset {
    about: "Your own Harbor",
    url: "",
    url_hint: "https://harbor.example.com",
    username_label: "User or robot name",
    username_hint: "A robot's whole name with its prefix: robot$ci, or robot$project+ci.",
    password_label: "Password or robot secret",
    password_hint: "A robot account with Pull and Push on repositories, and List to find images. People who sign in \
                    through OIDC use the CLI secret of their profile.",
    namespaces: Some(("Projects to list", "Names of projects; empty: all that it sees.")),
    ..GENERIC
};

const QUAY: Preset = Preset {
    about: "quay.io, or your own Quay",
    url: "https://quay.io",
    url_hint: "https://quay.io, or your own Quay's address.",
    username_label: "User or robot name",
    username_hint: "A robot's whole name: organisation+robot.",
    password_label: "Password or token",
    password_hint: "A robot's token with Read to pull, Write to push; or your account's encrypted password.",
    namespaces: Some(("Organisations to list", "Organisations and users whose repositories you want to find.")),
    ..GENERIC
};

const GITEA: Preset = Preset {
    about: "Your own Gitea or Forgejo, codeberg.org",
    url: "",
    url_hint: "The address of Gitea or Forgejo itself: https://git.example.com.",
    username_label: "User name",
    username_hint: "",
    password_label: "Access token",
    password_hint: "A token with read:package to pull, write:package to push: Settings, Applications. A password works only \
                    without two-factor sign-in.",
    namespaces: Some(("Owners to list", "Users and organisations whose packages you want to find; empty: your own.")),
    ..GENERIC
};

const DIGITAL_OCEAN: Preset = Preset {
    about: "registry.digitalocean.com",
    url: "https://registry.digitalocean.com",
    url_hint: "",
    username_label: "E-mail address or token",
    username_hint: "The account's e-mail address, or the same token as below.",
    password_label: "API token",
    password_hint: "A personal access token with registry read to pull, and create and update to push: DigitalOcean, API, \
                    Tokens.",
    namespaces: Some(("Registries to list", "The names of your registries.")),
    ..GENERIC
};

#[cfg(test)]
mod tests {
    use super::super::credential::RegistryUrl;
    use super::*;

    #[test]
    fn what_is_filled_in_is_the_providers_own() {
        for provider in Provider::ALL {
            let preset = Preset::of(provider);
            for text in [preset.about, preset.username_label, preset.password_label, preset.password_hint] {
                assert!(!text.is_empty() && !text.contains("  "), "{provider:?}: {text}");
            }
            if preset.url.is_empty() {
                assert!(!preset.url_hint.is_empty(), "{provider:?} says how its address looks");
            } else {
                let url: RegistryUrl = preset.url.parse().expect("an address");
                assert_eq!(Provider::of_host(&url.host), provider);
                assert!(!url.plain);
            }
        }
    }
}
