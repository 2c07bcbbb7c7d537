//! CPU and memory of a build's commands, kept within the rules by a control group, where that can be done.

use super::Builds;
use crate::builders::Chosen;
use crate::docker::{Caps, ControlGroup};
use crate::jobs::JobContext;
use app::model::build_rules::{BuildRules, cores};
use app::model::id::BuildId;

impl Builds {
    /// The group that a build runs in; none: the rules have no caps, or they can't hold here, which the log says.
    pub(super) fn capped(
        &self,
        build: &BuildId,
        rules: &BuildRules,
        builder: &Chosen,
        cx: &JobContext,
    ) -> Option<ControlGroup> {
        if !rules.has_caps() {
            return None;
        }
        // A builder of its own has a machine or a container of its own.
        if builder.buildx.is_some() {
            cx.log(&format!(
                "The limits of CPU and memory hold for builds by this engine; {} has its own.",
                builder.name
            ));
            return None;
        }
        let caps = Caps { cpus: rules.cpus, memory: rules.memory.map(|mib| u64::from(mib) << 20) };
        let name = format!("{}.{}", build.short(), cx.attempt);
        match self.inner.settings.control_groups().make(&name, caps) {
            Ok(group) => {
                let cpus = rules.cpus.map(|cpus| format!("{} cores", cores(cpus)));
                let memory = rules.memory.map(|mib| format!("{mib} MiB of memory"));
                let all: Vec<_> = cpus.into_iter().chain(memory).collect();
                cx.log(&format!("Commands of this build get at most {}.", all.join(" and ")));
                Some(group)
            }
            Err(error) => {
                cx.log(&format!("The limits of CPU and memory don't hold for this build: {error}"));
                None
            }
        }
    }
}
