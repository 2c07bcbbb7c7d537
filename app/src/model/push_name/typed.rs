//! The name that follows from what is typed into the service form: for the preview, and for the check before a build.

use super::{NameProblem, Wish, push_name, requirement, service_part};
use crate::model::id::{RegistryId, ServiceId};
use crate::model::image_ref::ImageRef;
use crate::model::registry::Registry;
use crate::model::service::{GitSource, Service};
use crate::model::service_form::ServiceForm;
use crate::model::text;
use serde::{Deserialize, Serialize};

/// Stands in names for the id that a service gets when it is saved; `‹id›` in what people see.
const UNKNOWN_ID: &str = "0unknown0";
const UNKNOWN_COMMIT: &str = "0commit0";

/// What decides the name, as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The project's name.
    pub project: String,
    /// The service's name.
    pub name: String,
    /// The chosen registry's id; empty: the default one.
    pub registry: String,
    /// The service's own base path.
    pub base_path: String,
    /// The git repository.
    pub repository: String,
    /// Which service it is; none: a new one.
    pub service: Option<ServiceId>,
}

/// A name that the rules allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Host and path, with stand-ins for what isn't known yet.
    pub reference: ImageRef,
    /// Where it is pushed.
    pub registry: RegistryId,
    /// What has to be there before a push works.
    pub requirement: Option<String>,
}

impl Named {
    /// The whole name for people, with `‹commit›` and, for a new service, `‹id›` in it.
    pub fn shown(&self) -> String {
        shown(&self.reference.to_string())
    }

    /// Host and path for people.
    pub fn repository_shown(&self) -> String {
        shown(&format!("{}/{}", self.reference.host, self.reference.repository))
    }
}

fn shown(name: &str) -> String {
    name.replace(UNKNOWN_ID, "‹id›").replace(UNKNOWN_COMMIT, "‹commit›")
}

impl Typed {
    /// What is saved of a service.
    pub fn of(service: &Service, source: &GitSource) -> Self {
        Self {
            project: service.project_slug.clone(),
            name: service.slug.clone(),
            registry: source.registry.as_ref().map(ToString::to_string).unwrap_or_default(),
            base_path: source.base_path.as_ref().map(ToString::to_string).unwrap_or_default(),
            repository: source.repository.to_string(),
            service: Some(service.id.clone()),
        }
    }

    /// What the form holds.
    pub fn of_form(form: &ServiceForm, service: Option<ServiceId>) -> Self {
        Self {
            project: form.project.clone(),
            name: form.name.clone(),
            registry: form.registry.clone(),
            base_path: form.base_path.clone(),
            repository: form.repository.clone(),
            service,
        }
    }

    /// The name that these lead to, or which rule forbids it, or what is missing.
    pub fn named(&self, registries: &[Registry]) -> Result<Named, NameProblem> {
        let chosen = |registry: &&Registry| {
            if self.registry.is_empty() { registry.is_default } else { registry.id.as_str() == self.registry }
        };
        let registry = registries.iter().find(chosen).ok_or_else(|| {
            NameProblem::new("registry.none", "There is no registry to push to yet.", "Create one, or choose another.")
        })?;
        let (project, name) = (text::slug(&self.project), text::slug(&self.name));
        if project.is_empty() || name.is_empty() {
            return Err(NameProblem::new(
                "missing",
                "The image's name isn't known yet.",
                "Fill in project and name to see what it will be called.",
            ));
        }
        let service = match &self.service {
            Some(id) => service_part(&name, id),
            None => format!("{name}-{UNKNOWN_ID}"),
        };
        let reference = push_name(&Wish {
            provider: registry.provider,
            host: &registry.host,
            base: registry.base_path.as_ref().map(|path| path.as_str()).unwrap_or_default(),
            own: &self.base_path,
            repository: self.repository.parse().ok().as_ref(),
            project: &project,
            service: &service,
            tag: UNKNOWN_COMMIT,
        })?;
        let requirement = requirement(registry.provider, &reference.repository).map(|words| shown(&words));
        Ok(Named { reference, registry: registry.id.clone(), requirement })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::CredentialId;
    use crate::model::provider::Provider;

    fn registry(n: u8, provider: Provider, host: &str, base: &str, is_default: bool) -> Registry {
        Registry {
            id: RegistryId::from_random([n; 8]),
            name: host.into(),
            host: host.parse().expect("a host"),
            provider,
            credential: CredentialId::from_random([n; 8]),
            credential_name: "Push".into(),
            credential_works: true,
            base_path: (!base.is_empty()).then(|| base.parse().expect("a path")),
            is_default,
            platforms: Vec::new(),
            managed: None,
            created_at: 0,
            version: 1,
        }
    }

    #[test]
    fn the_preview_says_the_name_or_what_is_missing() {
        let registries = [
            registry(1, Provider::Generic, "127.0.0.1:5600", "", true),
            registry(2, Provider::Ghcr, "ghcr.io", "acme", false),
            registry(3, Provider::Gitlab, "registry.gitlab.com", "", false),
        ];
        let typed = Typed { project: "Shop".into(), name: "Web".into(), ..Typed::default() };
        let at = |n: usize, base: &str, service: Option<[u8; 8]>| {
            let typed = Typed {
                registry: if n == 0 { String::new() } else { registries[n - 1].id.to_string() },
                base_path: base.into(),
                service: service.map(ServiceId::from_random),
                repository: "https://gitlab.com/acme/shop.git".into(),
                ..typed.clone()
            };
            typed.named(&registries).map(|named| named.shown()).map_err(|problem| problem.rule)
        };
        let id = ServiceId::from_random([7; 8]);
        assert_eq!(at(0, "", None), Ok("127.0.0.1:5600/shop/web-‹id›:‹commit›".into()));
        assert_eq!(at(2, "", Some([7; 8])), Ok(format!("ghcr.io/acme/shop/web-{}:‹commit›", id.short())));
        assert_eq!(at(2, "/team/x/", None), Ok("ghcr.io/team/x/shop/web-‹id›:‹commit›".into()));
        assert_eq!(at(2, "Team", None), Err("ghcr.owner-case".into()));
        assert_eq!(at(3, "", None), Ok("registry.gitlab.com/acme/shop/shop/web-‹id›:‹commit›".into()));
        let rule = |typed: &Typed, registries: &[Registry]| typed.named(registries).map_err(|problem| problem.rule);
        assert_eq!(rule(&Typed::default(), &registries), Err("missing".into()));
        assert_eq!(rule(&typed, &[]), Err("registry.none".into()));
        let gone = Typed { registry: "reg_gone".into(), ..typed.clone() };
        assert_eq!(rule(&gone, &registries), Err("registry.none".into()));
        let named = Typed { registry: registries[1].id.to_string(), ..typed }.named(&registries).expect("a name");
        assert_eq!(named.repository_shown(), "ghcr.io/acme/shop/web-‹id›");
        assert!(named.requirement.is_some_and(|words| words.starts_with("acme has to be")));
    }
}
