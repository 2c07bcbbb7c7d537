//! Which builder builds. Pure.
//!
//! The one that the service wants, if it can; else one that needs no emulation, the engine's own first; else the one that
//! has to emulate the least. What isn't well is never chosen.

use app::error::Problem;
use app::model::builder::{BuilderKind, WhichBuilder};
use app::model::id::BuilderId;
use app::model::platform::Platform;
use app::paths;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// Empty: whatever the builder itself is.
    pub platforms: &'a [Platform],
    /// The one that the service wants.
    pub wanted: Option<&'a BuilderId>,
    /// Whether the image goes to a registry at this machine's own address, which other machines don't reach.
    pub is_local: bool,
}

/// How a builder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nobody looked yet.
    Unknown,
    /// It builds.
    Works,
    /// It doesn't, and why.
    Fails(String),
}

/// A builder that may be chosen.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) which: WhichBuilder,
    pub(super) name: String,
    pub(super) kind: BuilderKind,
    pub(super) health: Health,
    pub(super) native: Vec<Platform>,
    pub(super) emulated: Vec<Platform>,
    /// Whether it can make one image for several platforms.
    pub(super) makes_several: bool,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// Its place among the candidates.
    pub(super) at: usize,
    /// Platforms that it can only emulate.
    pub(super) emulated: Vec<Platform>,
    /// What people should know of how it was chosen.
    pub(super) note: Option<String>,
}

/// Decides, or says what to do. The engine's own is among the candidates.
pub(super) fn choose(candidates: &[Candidate], wish: &Wish<'_>) -> Result<Decision, Problem> {
    let note = match wish.wanted {
        None => None,
        Some(id) => match candidates.iter().position(|one| one.which.id() == Some(id)) {
            None => Some("The builder that the service names was deleted; another one builds.".to_owned()),
            Some(at) => match fit(&candidates[at], wish) {
                Ok(emulated) => return Ok(Decision { at, emulated, note: None }),
                Err(why) => {
                    Some(format!("The builder {} can't build this: {why} Another one builds.", candidates[at].name))
                }
            },
        },
    };
    let engine = candidates.iter().position(|one| one.kind == BuilderKind::Engine);
    // Its own platform, whatever that is: there is nothing to weigh, and the build itself says what is wrong with it.
    if let Some(at) = engine.filter(|_| wish.platforms.is_empty()) {
        return Ok(Decision { at, emulated: Vec::new(), note });
    }
    let fitting = candidates.iter().enumerate().filter_map(|(at, one)| Some((at, one, fit(one, wish).ok()?)));
    let best = fitting.min_by_key(|(_, one, emulated)| (emulated.len(), one.kind, one.name.clone()));
    if let Some((at, _, emulated)) = best {
        return Ok(Decision { at, emulated, note });
    }
    match engine {
        // Right after the start: it may well fit, and is looked at before the build begins.
        Some(at) if candidates[at].health == Health::Unknown => Ok(Decision { at, emulated: Vec::new(), note }),
        engine => Err(nothing_fits(engine.map(|at| &candidates[at]), candidates, wish)),
    }
}

/// What it would have to emulate, or why it can't.
fn fit(one: &Candidate, wish: &Wish<'_>) -> Result<Vec<Platform>, String> {
    match &one.health {
        Health::Works => {}
        Health::Unknown => return Err("it hasn't been looked at yet.".into()),
        Health::Fails(why) => return Err(why.clone()),
    }
    if wish.is_local && one.kind == BuilderKind::Remote {
        return Err("the registry is at this machine's own address, which other machines don't reach.".into());
    }
    if wish.platforms.len() > 1 && !one.makes_several {
        return Err("it can't make one image for several platforms.".into());
    }
    let mut emulated = Vec::new();
    for platform in wish.platforms {
        let runs = |those: &[Platform]| those.iter().any(|own| own.runs(platform));
        if runs(&one.native) {
            continue;
        }
        if !runs(&one.emulated) {
            return Err(format!("it doesn't build for {platform}."));
        }
        emulated.push(platform.clone());
    }
    Ok(emulated)
}

fn nothing_fits(engine: Option<&Candidate>, candidates: &[Candidate], wish: &Wish<'_>) -> Problem {
    let names: Vec<_> = wish.platforms.iter().map(ToString::to_string).collect();
    let wanted = names.join(" and ");
    if let Some(Candidate { health: Health::Fails(why), .. }) = engine {
        return Problem::new(super::AWAY, why.clone(), "Build again when Docker answers.")
            .with_link(paths::SETTINGS, "See Settings");
    }
    let unknown: Vec<_> = wish.platforms.iter().filter(|platform| !anybody_runs(candidates, platform)).collect();
    let problem = if unknown.is_empty() && engine.is_some_and(|engine| !engine.makes_several) && names.len() > 1 {
        Problem::new(
            "build.platforms",
            format!(
                "Images are wanted for {wanted}, but Docker's own image store can't keep one image for several platforms."
            ),
            "Turn on Docker's containerd image store (\"features\": {\"containerd-snapshotter\": true} in its daemon.json, \
             then restart it), or add a builder of another kind.",
        )
    } else if unknown.is_empty() {
        Problem::new(
            "build.platforms",
            format!("No builder that is well builds for {wanted} together."),
            "See what is wrong with the builders, or add one that covers these platforms.",
        )
    } else {
        let names: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        let architecture = unknown.first().map_or("arm64", |first| first.as_str().split('/').nth(1).unwrap_or("arm64"));
        Problem::new(
            "build.platforms",
            format!("No builder that is well builds for {}.", names.join(" and ")),
            format!(
                "Add a builder on such a machine, or install an emulator on this one: the package qemu-user-static with \
                 binfmt-support, or docker run --privileged --rm tonistiigi/binfmt --install {architecture}."
            ),
        )
    };
    let broken: Vec<_> = candidates
        .iter()
        .filter_map(|one| match &one.health {
            Health::Fails(why) => Some(format!("{}: {why}", one.name)),
            _ => None,
        })
        .collect();
    let problem = problem.with_link(paths::BUILDERS, "Open Builders");
    if broken.is_empty() { problem } else { problem.with_details(broken.join("\n")) }
}

fn anybody_runs(candidates: &[Candidate], platform: &Platform) -> bool {
    let well = candidates.iter().filter(|one| one.health == Health::Works);
    well.flat_map(|one| one.native.iter().chain(&one.emulated)).any(|own| own.runs(platform))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(text: &str) -> Vec<Platform> {
        text.split_whitespace().map(|text| text.parse().expect("a platform")).collect()
    }

    fn engine(store: bool, emulated: &str) -> Candidate {
        Candidate {
            which: WhichBuilder::Engine,
            name: "This engine".into(),
            kind: BuilderKind::Engine,
            health: Health::Works,
            native: platforms("linux/amd64"),
            emulated: platforms(emulated),
            makes_several: store,
        }
    }

    fn added(n: u8, kind: BuilderKind, native: &str, emulated: &str) -> Candidate {
        Candidate {
            which: WhichBuilder::Added(BuilderId::from_random([n; 8])),
            name: format!("Builder {n}"),
            kind,
            health: Health::Works,
            native: platforms(native),
            emulated: platforms(emulated),
            makes_several: true,
        }
    }

    fn id(one: &Candidate) -> &BuilderId {
        one.which.id().expect("an id")
    }

    const BOTH: &str = "linux/amd64 linux/arm64";

    #[test]
    fn what_is_native_comes_first_and_the_engine_first_of_those() {
        let container = added(1, BuilderKind::Container, "linux/amd64", "linux/arm64");
        let remote = added(2, BuilderKind::Remote, BOTH, "");
        for (what, candidates, wanted, at, emulated) in [
            ("its own", vec![engine(false, "")], "", 0, ""),
            ("one platform needs no store", vec![engine(false, "")], "linux/amd64", 0, ""),
            ("a lower variant is native", vec![engine(false, "")], "linux/386", 0, ""),
            (
                "one that is emulated needs none either",
                vec![engine(false, "linux/arm64")],
                "linux/arm64",
                0,
                "linux/arm64",
            ),
            ("several in the store", vec![engine(true, "linux/arm64")], BOTH, 0, "linux/arm64"),
            (
                "native elsewhere before emulated here",
                vec![engine(true, "linux/arm64"), container.clone(), remote.clone()],
                BOTH,
                2,
                "",
            ),
            ("no store: a container", vec![engine(false, "linux/arm64"), container.clone()], BOTH, 1, "linux/arm64"),
            (
                "several native ones: the nearest",
                vec![remote.clone(), container.clone(), engine(true, "")],
                "linux/amd64",
                2,
                "",
            ),
            (
                "the container before the machine elsewhere",
                vec![engine(false, ""), remote.clone(), container.clone()],
                "linux/amd64",
                0,
                "",
            ),
            (
                "the least emulated",
                vec![engine(true, "linux/arm64 linux/riscv64"), added(3, BuilderKind::Remote, BOTH, "linux/riscv64")],
                "linux/amd64 linux/arm64 linux/riscv64",
                1,
                "linux/riscv64",
            ),
        ] {
            let decision = choose(&candidates, &Wish { platforms: &platforms(wanted), ..Wish::default() });
            assert_eq!(decision, Ok(Decision { at, emulated: platforms(emulated), note: None }), "{what}");
        }
    }

    #[test]
    fn the_wanted_one_builds_if_it_can_and_else_people_learn_why_not() {
        let remote = added(2, BuilderKind::Remote, "linux/arm64", "");
        let candidates = [engine(true, "linux/arm64"), remote.clone()];
        let asked = |platforms: &[Platform], wanted: &BuilderId, is_local| {
            choose(&candidates, &Wish { platforms, wanted: Some(wanted), is_local }).expect("a builder")
        };
        assert_eq!(asked(&[], id(&remote), false).at, 1, "also when the engine would do");
        assert_eq!(asked(&platforms("linux/arm64"), id(&remote), false).note, None);
        let other = asked(&platforms("linux/amd64"), id(&remote), false);
        assert_eq!(other.at, 0);
        assert!(other.note.expect("a note").contains("Builder 2 can't build this: it doesn't build for linux/amd64."));
        let local = asked(&[], id(&remote), true);
        assert!(local.at == 0 && local.note.is_some_and(|note| note.contains("own address")));
        let gone = asked(&[], &BuilderId::from_random([9; 8]), false);
        assert!(gone.at == 0 && gone.note.is_some_and(|note| note.contains("deleted")));
    }

    #[test]
    fn what_is_not_well_is_never_chosen() {
        let broken =
            Candidate { health: Health::Fails("it doesn't answer.".into()), ..added(2, BuilderKind::Remote, BOTH, "") };
        let unknown = Candidate { health: Health::Unknown, ..added(3, BuilderKind::Remote, BOTH, "") };
        let candidates = [engine(true, "linux/arm64"), broken.clone(), unknown];
        let wish = Wish { platforms: &platforms(BOTH), wanted: Some(id(&broken)), is_local: false };
        let decision = choose(&candidates, &wish).expect("a builder");
        assert_eq!((decision.at, decision.emulated), (0, platforms("linux/arm64")));
        assert!(decision.note.expect("a note").contains("it doesn't answer."));
        let problem = choose(&[engine(true, ""), broken.clone()], &wish).expect_err("nobody");
        assert!(problem.details.expect("who is broken").contains("Builder 2: it doesn't answer."));
    }

    #[test]
    fn a_problem_says_what_to_do() {
        let asked = |candidates: &[Candidate], wanted: &str| {
            choose(candidates, &Wish { platforms: &platforms(wanted), ..Wish::default() }).expect_err("nothing fits")
        };
        let store = asked(&[engine(false, "linux/arm64")], BOTH);
        assert!(
            store.cause.contains("can't keep one image for several platforms") && store.remedy.contains("containerd")
        );
        let emulator = asked(&[engine(true, "")], BOTH);
        assert!(emulator.cause.contains("linux/arm64") && !emulator.cause.contains("amd64"), "{emulator}");
        assert!(emulator.remedy.contains("--install arm64"), "{emulator}");
        let apart = asked(&[engine(false, ""), added(2, BuilderKind::Remote, "linux/arm64", "")], BOTH);
        assert!(apart.cause.contains("store") && apart.link.is_some(), "{apart}");
        let away = Candidate { health: Health::Fails("Docker doesn't answer.".into()), ..engine(true, "") };
        assert_eq!(asked(std::slice::from_ref(&away), BOTH).code, "builder.engine");
        assert_eq!(choose(&[away], &Wish::default()).expect("its own").at, 0, "the build itself says so");
        let unknown = Candidate { health: Health::Unknown, ..engine(false, "") };
        let wish = Wish { platforms: &platforms(BOTH), ..Wish::default() };
        assert_eq!(choose(&[unknown], &wish).expect("the benefit of the doubt").at, 0);
    }

    #[test]
    fn a_registry_of_this_machine_is_not_pushed_to_from_elsewhere() {
        let candidates = [engine(true, "linux/arm64"), added(2, BuilderKind::Remote, BOTH, "")];
        let wish = |is_local| Wish { platforms: &[], wanted: None, is_local };
        let both = platforms(BOTH);
        assert_eq!(choose(&candidates, &Wish { platforms: &both, ..wish(true) }).expect("one").at, 0);
        assert_eq!(choose(&candidates, &Wish { platforms: &both, ..wish(false) }).expect("one").at, 1);
    }
}
