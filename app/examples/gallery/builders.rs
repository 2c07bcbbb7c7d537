//! Builders, one in each state that their pages can show.

use super::{Samples, World, bits, find, now, parsed, refused};
use app::api::builders::BuildersApi;
use app::error::{AppError, Problem};
use app::model::account::Actor;
use app::model::builder::{
    Builder, BuilderForm, BuilderKind, BuilderNode, BuilderState, Builds, Caps, NodeForm, WhichBuilder,
};
use app::model::id::{BuilderId, JobId};
use async_trait::async_trait;

/// Addresses of those that were added.
pub fn paths() -> Vec<String> {
    let ids = (1..=4).map(|n| BuilderId::from_random(bits(n)));
    ids.flat_map(|id| [format!("/settings/builders/{id}"), format!("/settings/builders/{id}/delete")]).collect()
}

fn builders(world: World) -> Vec<Builder> {
    let builds = |native: &str, emulated: &str| {
        let each = |text: &str, is_native| {
            let platforms = text.split_whitespace().map(parsed);
            platforms.map(|platform| Builds { platform, is_native }).collect::<Vec<_>>()
        };
        [each(native, true), each(emulated, false)].concat()
    };
    let engine = Builder {
        which: WhichBuilder::Engine,
        name: "This engine".into(),
        kind: BuilderKind::Engine,
        image: None,
        caps: Caps::default(),
        nodes: Vec::new(),
        limit: None,
        state: match world {
            World::NoDocker => {
                BuilderState::Fails(Problem::new("docker.away", "Docker can't be reached.", "Start it."))
            }
            _ => BuilderState::Works,
        },
        is_looking: false,
        platforms: builds("linux/amd64 linux/386", "linux/arm64 linux/riscv64"),
        makes_several: world == World::Full,
        disk: Some(9_930_000),
        looked_at: now() - 20,
        version: 0,
    };
    if matches!(world, World::Empty | World::NoSwarm | World::New) {
        return vec![engine];
    }
    let added = |n, name: &str, kind| Builder {
        which: WhichBuilder::Added(BuilderId::from_random(bits(n))),
        name: name.into(),
        kind,
        image: Some(parsed("moby/buildkit:buildx-stable-1")),
        makes_several: true,
        limit: Some(2),
        version: 3,
        ..engine.clone()
    };
    let machine = |number, platform: &str, endpoint: &str| BuilderNode {
        number,
        platform: parsed(platform),
        endpoint: endpoint.parse().expect("an endpoint"),
    };
    let why = Problem::new(
        "builder.image",
        "This engine can't pull the image docker.io/moby/buildkit:buildx-stable-1.",
        "Check its name, and that the engine reaches its registry.",
    )
    .with_details("Error response from daemon: failed to resolve reference <script>pwned()</script>");
    vec![
        engine.clone(),
        Builder { caps: Caps { cpus: Some(1_500), memory: Some(2_048) }, ..added(1, "beside", BuilderKind::Container) },
        Builder {
            state: BuilderState::Fails(why),
            platforms: Vec::new(),
            disk: None,
            ..added(2, "<b>broken</b>", BuilderKind::Container)
        },
        Builder {
            nodes: vec![
                machine(0, "linux/arm64", "tcp://arm.example.com:1234"),
                machine(2, "linux/s390x", "tcp://a-mainframe-with-a-long-name.example.com:1234"),
            ],
            platforms: builds("linux/arm64 linux/s390x", ""),
            ..added(3, "elsewhere", BuilderKind::Remote)
        },
        Builder {
            nodes: vec![machine(0, "linux/arm64", "ssh://ada@arm.example.com")],
            state: BuilderState::Unknown,
            is_looking: true,
            platforms: Vec::new(),
            disk: None,
            looked_at: 0,
            ..added(4, "just added", BuilderKind::Remote)
        },
    ]
}

#[async_trait]
impl BuildersApi for Samples {
    async fn list(&self, _: &Actor) -> Result<Vec<Builder>, AppError> {
        Ok(builders(self.0))
    }
    async fn get(&self, _: &Actor, which: &WhichBuilder) -> Result<Builder, AppError> {
        find(builders(World::Full), |builder| builder.which == *which, "builder")
    }
    async fn create(&self, _: &Actor, _: BuilderForm) -> Result<BuilderId, AppError> {
        Err(refused())
    }
    async fn update(&self, _: &Actor, _: &WhichBuilder, _: i64, _: BuilderForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn add_node(&self, _: &Actor, _: &BuilderId, _: NodeForm) -> Result<(), AppError> {
        Err(refused())
    }
    async fn remove_node(&self, _: &Actor, _: &BuilderId, _: u32) -> Result<(), AppError> {
        Err(refused())
    }
    async fn check(&self, _: &Actor, _: &WhichBuilder) -> Result<(), AppError> {
        Err(refused())
    }
    async fn clear_cache(&self, _: &Actor, _: &WhichBuilder) -> Result<JobId, AppError> {
        Err(refused())
    }
    async fn delete(&self, _: &Actor, _: &BuilderId) -> Result<(), AppError> {
        Err(refused())
    }
}
