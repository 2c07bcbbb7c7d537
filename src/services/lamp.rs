//! Whether a deployment could come up, from what was found out about its image. Pure.

use super::platforms;
use app::error::{Link, Problem};
use app::model::platform::Platform;
use app::model::report::Lamp;
use app::model::standing::Readiness;
use app::model::text;

/// What the registry says.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// It has the image and gives it to us. What the image is for; empty: not known.
    Has(Vec<Platform>),
    /// It doesn't, or doesn't give it to us.
    Refuses(Problem),
    /// It can't be asked now.
    Away(Problem),
}

/// What was found out.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub answer: Answer,
    /// Whether this node has the image.
    pub is_here: Option<bool>,
    /// What a node would have to fetch.
    pub pull_bytes: Option<u64>,
    /// The platforms of the nodes that take tasks; empty: not known.
    pub nodes: Vec<Platform>,
    /// Unix seconds.
    pub at: i64,
}

/// The lamp.
pub(super) fn judge(seen: Seen) -> Readiness {
    let (lamp, reason, link) = match &seen.answer {
        Answer::Refuses(problem) => (Lamp::Red, told(problem), problem.link.clone()),
        Answer::Away(problem) => {
            let here = match seen.is_here {
                Some(true) => " The image is on this node already, so it can still come back here.",
                _ => "",
            };
            (Lamp::Amber, format!("{}{here}", told(problem)), problem.link.clone())
        }
        Answer::Has(image) => fits(image, &seen),
    };
    Readiness { lamp, reason, link, is_here: seen.is_here, pull_bytes: seen.pull_bytes, at: seen.at }
}

fn told(problem: &Problem) -> String {
    format!("{} {}", problem.cause, problem.remedy)
}

fn fits(image: &[Platform], seen: &Seen) -> (Lamp, String, Option<Link>) {
    let left_out = if image.is_empty() { Vec::new() } else { platforms::uncovered(image, &seen.nodes) };
    if !left_out.is_empty() && seen.nodes.iter().all(|node| left_out.contains(node)) {
        return (Lamp::Red, told(&platforms::nobody(image, &left_out)), None);
    }
    let pull = match (seen.is_here, seen.pull_bytes) {
        (Some(true), _) => "Its image is on this node already.".to_owned(),
        (_, Some(bytes)) => format!("{} to pull.", text::bytes(bytes)),
        (_, None) => "Its image has to be pulled.".to_owned(),
    };
    if left_out.is_empty() {
        (Lamp::Green, pull, None)
    } else {
        let left_out = platforms::words(&left_out);
        (Lamp::Amber, format!("{pull} Nodes of {left_out} never run it."), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(answer: Answer) -> Seen {
        let nodes = vec!["linux/amd64".parse().expect("a platform")];
        Seen { answer, is_here: Some(false), pull_bytes: Some(12_000_000), nodes, at: 7 }
    }

    fn has(platforms: &[&str]) -> Answer {
        Answer::Has(platforms.iter().map(|text| text.parse().expect("a platform")).collect())
    }

    #[test]
    fn a_lamp_says_why() {
        let problem = || Problem::new("x", "It isn't there.", "Build anew.").with_link("/services", "Services");
        let red = judge(seen(Answer::Refuses(problem())));
        assert_eq!((red.lamp, red.reason.as_str()), (Lamp::Red, "It isn't there. Build anew."));
        assert_eq!(red.link.map(|link| link.href), Some("/services".into()));
        let away = judge(seen(Answer::Away(problem())));
        assert_eq!(away.lamp, Lamp::Amber);
        let here = judge(Seen { is_here: Some(true), ..seen(Answer::Away(problem())) });
        assert!(here.reason.contains("on this node already"), "{here:?}");
    }

    #[test]
    fn what_the_registry_has_still_has_to_fit_the_nodes() {
        let ready = judge(seen(has(&["linux/amd64", "linux/arm64"])));
        assert_eq!((ready.lamp, ready.reason.as_str()), (Lamp::Green, "12.0 MB to pull."));
        assert_eq!(judge(seen(has(&[]))).lamp, Lamp::Green, "nobody says what it is for");
        let foreign = judge(seen(has(&["linux/arm64"])));
        assert_eq!(foreign.lamp, Lamp::Red);
        assert!(foreign.reason.contains("linux/arm64"), "{foreign:?}");
        let two = ["linux/amd64", "linux/arm64"].map(|text| text.parse().expect("a platform")).to_vec();
        let some = judge(Seen { nodes: two, ..seen(has(&["linux/amd64"])) });
        assert_eq!(some.lamp, Lamp::Amber);
        assert_eq!(judge(Seen { nodes: Vec::new(), ..seen(has(&["linux/arm64"])) }).lamp, Lamp::Green);
    }
}
