//! What providers say when something is wrong with a name or a right, and what to do about it. Pure.
//!
//! After REGISTRIES' list of known answers. What isn't known here keeps the registry client's general words.

use crate::oci::OciError;
use app::error::Problem;

/// One provider's words.
pub(super) struct Words {
    /// What to do when user name or password is rejected.
    wrong: &'static str,
    /// A part of the answer in lower case, the cause, the remedy. The first that fits counts.
    known: &'static [(&'static str, &'static str, &'static str)],
}

/// A better explanation of an error, where the provider's words are known.
pub(super) fn by(words: &Words, error: &OciError) -> Option<Problem> {
    let answer = match error {
        OciError::WrongCredentials { answer, .. }
        | OciError::Denied { answer, .. }
        | OciError::NotOffered { answer, .. }
        | OciError::Unexpected { answer, .. } => answer,
        _ => return None,
    };
    let mut problem = error.problem().with_details(answer.as_str());
    let lower = answer.to_ascii_lowercase();
    if let Some((_, cause, remedy)) = words.known.iter().find(|(part, _, _)| lower.contains(part)) {
        (problem.cause, problem.remedy) = ((*cause).to_owned(), (*remedy).to_owned());
        return Some(problem);
    }
    if matches!(error, OciError::WrongCredentials { .. }) {
        words.wrong.clone_into(&mut problem.remedy);
        return Some(problem);
    }
    None
}

pub(super) const GENERIC: &Words = &Words {
    wrong: "Check both; many registries want an access token instead of the account's password.",
    known: &[
        (
            "name_invalid",
            "The registry finds the repository's name malformed.",
            "Check the base path: lower-case letters and digits, separated by one '.', '_', '-' or '/'.",
        ),
        ("read-only", "The registry is read-only at the moment.", "Wait until its clean-up has ended, then try again."),
        (
            "405",
            "The registry takes no pushes: it is read-only or a cache of another registry.",
            "Push to another registry, or end its maintenance.",
        ),
        ("503", "The registry's storage is out of order.", "Look into the registry's own log; then try again."),
    ],
};

pub(super) const DOCKER_HUB: &Words = &Words {
    wrong: "Use an access token (dckr_pat_…) of Docker Hub's account settings: passwords are refused where single sign-on \
        is enforced. With an organisation's token the user name is the organisation's.",
    known: &[
        (
            "requested access to the resource is denied",
            "Docker Hub doesn't let this login into that repository.",
            "Check that its name has exactly two parts, that the first is your Docker ID or an organisation where you \
             may push, and that the access token has Read & Write.",
        ),
        (
            "insufficient_scope",
            "Docker Hub doesn't let this login into that repository.",
            "Check that its name has exactly two parts, that the first is your Docker ID or an organisation where you \
             may push, and that the access token has Read & Write.",
        ),
        (
            "toomanyrequests",
            "Docker Hub's limit of pulls is reached.",
            "Wait until the limit's window has passed, or use a credential of a paid account.",
        ),
    ],
};

const GHCR_TOKEN: &str = "Create a classic personal access token with read:packages (to push: write:packages); \
    fine-grained tokens don't work here. Where the organisation demands single sign-on, authorise the token for it.";

pub(super) const GHCR: &Words = &Words {
    wrong: GHCR_TOKEN,
    known: &[
        (
            "installation not allowed to create",
            "The organisation doesn't let this token create packages.",
            "Ask an owner of the organisation to allow members to create packages, or push to an owner you may write to.",
        ),
        (
            "create_package",
            "The token may not create packages of this owner.",
            "Give the token write:packages, and check that the first part of the path is your own name or an \
             organisation where you may create packages.",
        ),
        (
            "write_package",
            "The token may not write this package.",
            "Give the token write:packages, and give its user the role Write in the package's settings.",
        ),
        ("read_package", "The token may not read this package.", GHCR_TOKEN),
        ("permission_denied", "GitHub denies this to the token.", GHCR_TOKEN),
        ("denied", "GitHub denies this to the token, or takes it for none at all.", GHCR_TOKEN),
    ],
};

pub(super) const GITLAB: &Words = &Words {
    wrong: "Use a personal, project or group access token or a deploy token with read_registry (to push: write_registry \
        too); with two-factor sign-in the account's password isn't taken.",
    known: &[
        (
            "access forbidden",
            "GitLab denies this: the token doesn't reach that project, or lacks the scope.",
            "Use a token with read_registry (to push: write_registry too) of somebody who is a member of the project.",
        ),
        (
            "requested access to the resource is denied",
            "GitLab denies this: the project doesn't exist, its registry is off, the path is too deep, or the token may \
             not push.",
            "Start the path with the full path of an existing project, with at most two more parts, and use a token with \
             write_registry.",
        ),
        (
            "insufficient_scope",
            "GitLab denies this: the project doesn't exist, its registry is off, or the token may not do this.",
            "Start the path with the full path of an existing project, and use a token with read_registry and \
             write_registry.",
        ),
    ],
};

pub(super) const GOOGLE_ARTIFACT: &Words = &Words {
    wrong: "With a service account's key the user name is _json_key and the password the whole JSON file \
        (_json_key_base64 for its base64); an access token (oauth2accesstoken) ends after an hour.",
    known: &[
        (
            "missing image name",
            "The path is too short for Google Artifact Registry.",
            "Use three parts at least: project/repository/image. The repository must exist.",
        ),
        (
            "uploadartifacts",
            "The account may not push to this repository.",
            "Give it the role Artifact Registry Writer on the repository.",
        ),
        (
            "downloadartifacts",
            "The account may not pull from this repository.",
            "Give it the role Artifact Registry Reader on the repository.",
        ),
        (
            "permission",
            "The account lacks a permission on this repository.",
            "Give it the role Artifact Registry Reader, or Writer to push.",
        ),
        (
            "not found",
            "There is no such repository at Google Artifact Registry; pushing doesn't create it.",
            "Create the repository (format Docker) in this project and location first, or correct the path.",
        ),
    ],
};

pub(super) const ECR: &Words = &Words {
    wrong: "Check access key id (user name) and secret key (password; secret|session for a temporary session), whether the \
        key is active, and whether this server's clock is right.",
    known: &[
        (
            "does not exist in the registry",
            "There is no such repository in this account and region; pushing doesn't create it.",
            "Create the repository first (or a creation template for pushes), and leave the registry's host out of the \
             path.",
        ),
        (
            "expired",
            "The sign-in at AWS has expired.",
            "Store an access key (id and secret) instead of a password that ends after twelve hours; Slipway then renews \
             it by itself.",
        ),
        (
            "accessdenied",
            "AWS denies this to the access key.",
            "Give its user the policy AmazonEC2ContainerRegistryPowerUser (or …ReadOnly to pull alone).",
        ),
        (
            "not authorized to perform",
            "AWS denies this to the access key.",
            "Give its user the policy AmazonEC2ContainerRegistryPowerUser (or …ReadOnly to pull alone).",
        ),
    ],
};

pub(super) const ACR: &Words = &Words {
    wrong: "Use a service principal (application id and client secret), a token of the registry with its name as user, or \
        the admin user if that is enabled. Client secrets expire.",
    known: &[
        (
            "requested access to the resource is denied",
            "Azure denies this: the role or the token's scope map doesn't cover this repository.",
            "Give the service principal AcrPull (AcrPush to push), or add the repository to the token's scope map.",
        ),
        (
            "insufficient_scope",
            "Azure denies this: the role or the token's scope map doesn't cover this repository.",
            "Give the service principal AcrPull (AcrPush to push), or add the repository to the token's scope map.",
        ),
        (
            "client with ip",
            "The registry's firewall keeps this server out.",
            "Add this server's address to the registry's network rules.",
        ),
    ],
};

pub(super) const HARBOR: &Words = &Words {
    wrong: "Use a robot account with its full name (robot$project+name) or, with OIDC sign-in, the CLI secret of the user's \
        profile.",
    known: &[
        (
            "unauthorized to access repository",
            "Harbor denies this: the login has no such right in the project, or the project doesn't exist.",
            "Create the project first, and give the robot account Push and Pull on it.",
        ),
        (
            "not found",
            "There is no such project at Harbor; pushing doesn't create it.",
            "Create the project, or start the path with an existing one.",
        ),
        (
            "proxy",
            "The project is a cache of another registry and takes no pushes.",
            "Choose a project that isn't a proxy cache.",
        ),
        ("quota", "The project's quota is used up.", "Raise the project's quota, or remove old images."),
    ],
};

pub(super) const QUAY: &Words = &Words {
    wrong: "Use a robot account (organisation+robot) with its token, or an encrypted password of the account's settings.",
    known: &[
        (
            "nested repositories",
            "This Quay takes names of two parts alone.",
            "Use organisation/name, without further slashes.",
        ),
        (
            "insufficient_scope",
            "Quay denies this: the robot or user has no right on the repository, or the organisation doesn't exist.",
            "Give the robot Write on the repository (or let it create repositories in the organisation).",
        ),
        (
            "requires authentication",
            "Quay denies this: the robot or user has no right on the repository, or the organisation doesn't exist.",
            "Give the robot Write on the repository (or let it create repositories in the organisation).",
        ),
    ],
};

pub(super) const GITEA: &Words = &Words {
    wrong: "Use the user name with an access token that has read:package (to push: write:package); with two-factor sign-in \
        the password isn't taken.",
    known: &[
        (
            "denied",
            "The forge denies this: the owner doesn't exist, or the token may not write its packages.",
            "Start the path with your own name or an organisation, and give the token write:package.",
        ),
        (
            "unauthorized",
            "The forge denies this: the owner doesn't exist, or the token may not write its packages.",
            "Start the path with your own name or an organisation, and give the token write:package.",
        ),
    ],
};

pub(super) const DIGITAL_OCEAN: &Words = &Words {
    wrong: "Use an API token with the scope registry as user name and password, or credentials made for Docker by the \
        control panel.",
    known: &[
        (
            "insufficient_scope",
            "DigitalOcean denies this: the first part of the path isn't your registry's name, or the credentials are \
             read-only.",
            "Start the path with the registry's name, and use credentials with read and write access.",
        ),
        (
            "denied",
            "DigitalOcean denies this: the first part of the path isn't your registry's name, or the credentials are \
             read-only.",
            "Start the path with the registry's name, and use credentials with read and write access.",
        ),
        (
            "unauthorized",
            "DigitalOcean denies this: the registry is being cleaned (read-only), or the credentials are read-only.",
            "Wait until garbage collection has ended, or use credentials with read and write access.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_get_a_cause_and_a_remedy_of_their_own() {
        let denied = |answer: &str| OciError::Denied { host: "h".into(), answer: answer.into() };
        let unexpected = |answer: &str| OciError::Unexpected { host: "h".into(), answer: answer.into() };
        for (words, error, part) in [
            (DOCKER_HUB, denied("DENIED: requested access to the resource is denied"), "two parts"),
            (GHCR, denied("403 Forbidden: DENIED: permission_denied: create_package"), "write:packages"),
            (GITLAB, denied("DENIED: access forbidden"), "read_registry"),
            (
                ECR,
                unexpected(
                    "404 Not Found: NAME_UNKNOWN: The repository with name 'a' does not exist in the registry with id '1'",
                ),
                "Create the repository",
            ),
            (
                GOOGLE_ARTIFACT,
                unexpected("400: NAME_INVALID: Missing image name. Pushes should be of the form"),
                "three parts",
            ),
            (
                GOOGLE_ARTIFACT,
                denied(r#"DENIED: Permission "artifactregistry.repositories.uploadArtifacts" denied"#),
                "Writer",
            ),
            (
                GOOGLE_ARTIFACT,
                unexpected(r#"404 Not Found: NAME_UNKNOWN: Repository "x" not found"#),
                "Create the repository",
            ),
            (ACR, denied("DENIED: requested access to the resource is denied"), "scope map"),
            (HARBOR, denied("401: UNAUTHORIZED: project nope not found"), "existing one"),
            (QUAY, unexpected("400: NAME_INVALID: Nested repositories are not supported"), "without further slashes"),
            (GENERIC, unexpected("405 Method Not Allowed: UNSUPPORTED"), "another registry"),
        ] {
            let problem = by(words, &error).unwrap_or_else(|| panic!("{error}"));
            assert!(problem.remedy.contains(part), "{error}: {problem:?}");
            assert_ne!(problem.cause, error.problem().cause, "{error}");
            assert!(problem.details.is_some() && problem.code == error.problem().code, "{problem:?}");
        }
    }

    #[test]
    fn a_wrong_password_gets_the_providers_advice_and_the_rest_stays() {
        let wrong = OciError::WrongCredentials { host: "h".into(), answer: "401".into() };
        assert!(by(ECR, &wrong).is_some_and(|problem| problem.remedy.contains("secret|session")));
        assert_eq!(by(ECR, &OciError::Dns { host: "h".into() }), None);
        assert_eq!(by(ECR, &OciError::Unexpected { host: "h".into(), answer: "418".into() }), None);
    }
}
