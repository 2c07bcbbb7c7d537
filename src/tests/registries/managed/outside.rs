//! Outside hands (acceptance 3): whatever is done to a registry behind Slipway's back, the page says the truth within half a
//! minute, and a repair or an explanation follows.

use super::house::{created, form, push_and_pull};
use crate::services::world::World;
use crate::swarm::{Lab, eventually};
use app::api::registries::RegistriesApi as _;
use app::model::id::RegistryId;
use app::model::registry::{Managed, ManagedForm, ManagedState, ManagedStatus};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// What the page has to say the truth.
const SOON: Duration = Duration::from_secs(30);
/// For a repair, with the time that containers take.
const REPAIR: Duration = Duration::from_secs(120);

/// The watch runs as long as it is kept.
struct Watch {
    stop: CancellationToken,
    _task: AbortOnDropHandle<()>,
}

impl Watch {
    fn start(world: &World) -> Self {
        let (registries, stop) = (world.registries.clone(), CancellationToken::new());
        let token = stop.clone();
        let task = tokio::spawn(async move { registries.watch(token).await });
        Self { stop, _task: AbortOnDropHandle::new(task) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn status(world: &World, id: &RegistryId) -> ManagedStatus {
    world.registries.status(&world.actor, id).await.expect("a status")
}

/// Waits until the page says this.
async fn says(
    world: &World,
    id: &RegistryId,
    limit: Duration,
    what: &str,
    fits: impl Fn(&ManagedStatus) -> bool,
) -> ManagedStatus {
    let last = std::sync::Mutex::new(String::new());
    let wait = eventually(limit + Duration::from_secs(1), what, || async {
        let found = status(world, id).await;
        let text = format!("{:?}: {} {:?}", found.state, found.headline, found.problem.as_ref().map(|of| &of.code));
        let mut last = last.lock().expect("a lock");
        if *last != text {
            eprintln!("{what}: {text}");
            *last = text;
        }
        fits(&found).then_some(found)
    });
    wait.await
}

async fn is_healthy(world: &World, id: &RegistryId, limit: Duration) {
    says(world, id, limit, "healthy", |status| status.state == ManagedState::Healthy).await;
}

fn has(status: &ManagedStatus, code: &str) -> bool {
    status.problem.as_ref().is_some_and(|problem| problem.code == code)
}

fn service(id: &RegistryId) -> String {
    format!("slipway-registry-{}", id.short())
}

/// Kinds of the jobs that were asked for after its creation. Other tests remove the network of all registries when theirs
/// are gone, which they may while this one has no task; repairs of that don't count.
async fn jobs(world: &World, id: &RegistryId) -> Vec<String> {
    let found: Vec<(String, String)> = sqlx::query_as(
        "SELECT kind, payload FROM jobs WHERE subject = ? AND kind <> 'create_registry' ORDER BY created",
    )
    .bind(format!("registry:{id}"))
    .fetch_all(world.db.read())
    .await
    .expect("asked");
    found.iter().for_each(|(kind, payload)| eprintln!("job {kind}: {payload}"));
    found.into_iter().filter(|(_, payload)| !payload.contains("etwork")).map(|(kind, _)| kind).collect()
}

/// A world of its own with a registry that is healthy and watched.
async fn with_registry<F: Future<Output = ()>>(
    form: impl FnOnce(&Lab) -> ManagedForm,
    run: impl FnOnce(Lab, World, RegistryId, Watch) -> F,
) {
    let Some(lab) = Lab::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &lab.docker_host).await;
    world.start();
    let (id, _sweep) = created(&world, &lab, form(&lab)).await;
    let watch = Watch::start(&world);
    is_healthy(&world, &id, SOON).await;
    run(lab, world, id, watch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_and_secrets_that_are_removed_come_back_with_all_images() {
    with_registry(
        |_| form("Main"),
        |lab, world, id, watch| async move {
            push_and_pull(&world, &lab, &id).await;
            drop(watch);
            lab.docker(&["service", "rm", &service(&id)]);
            for file in ["config", "htpasswd"] {
                lab.docker(&["secret", "rm", &format!("{}-{file}-1", service(&id))]);
            }
            let _watch = Watch::start(&world);
            let gone = |status: &ManagedStatus| {
                matches!(status.state, ManagedState::Failing | ManagedState::Working) && !status.headline.is_empty()
            };
            says(&world, &id, SOON, "the service is gone", gone).await;
            is_healthy(&world, &id, REPAIR).await;
            assert_eq!(jobs(&world, &id).await, ["repair_registry"], "one repair is enough");
            let target = world.registries.target(&id).await.expect("asked").expect("there");
            let client = slipway::oci::Client::new().expect("a client");
            let repository = "shop/web".parse().expect("a repository");
            let kept = client.digest(&target.access, &repository, "1").await.expect("asked");
            assert!(kept.is_some(), "what was pushed before is there");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_and_secrets_changed_by_hand_are_put_right() {
    with_registry(
        |_| form("Main"),
        |lab, world, id, watch| async move {
            let _watch = watch;
            let name = service(&id);
            lab.docker(&["service", "update", "-d", "--no-resolve-image", "--image", "slipway-lab/base:1", &name]);
            let noticed = |status: &ManagedStatus| status.state != ManagedState::Healthy;
            says(&world, &id, SOON, "another image", noticed).await;
            is_healthy(&world, &id, REPAIR).await;
            let image = lab.docker(&["service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Image}}", &name]);
            assert!(image.contains("slipway-lab/registry"), "{image}");

            lab.docker(&["service", "update", "-d", "--secret-rm", &format!("{name}-htpasswd-1"), &name]);
            says(&world, &id, SOON, "without its sign-in", noticed).await;
            is_healthy(&world, &id, REPAIR).await;
            assert!(jobs(&world, &id).await.iter().all(|kind| kind == "repair_registry"));
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_scaled_to_zero_stays_so_until_it_is_restarted() {
    with_registry(
        |_| form("Main"),
        |lab, world, id, watch| async move {
            let _watch = watch;
            let replicas =
                || lab.docker(&["service", "inspect", "-f", "{{.Spec.Mode.Replicated.Replicas}}", &service(&id)]);
            lab.docker(&["service", "scale", "-d", &format!("{}=0", service(&id))]);
            let stopped = says(&world, &id, SOON, "stopped", |status| status.state == ManagedState::Stopped).await;
            assert!(stopped.headline.contains("zero"), "{}", stopped.headline);
            // Three more looks, and nobody fights it.
            let until = stopped.looked_at + 15;
            says(&world, &id, SOON, "looked at again", |status| status.looked_at >= until).await;
            assert_eq!(status(&world, &id).await.state, ManagedState::Stopped);
            assert_eq!((replicas().trim(), jobs(&world, &id).await.len()), ("0", 0));

            world.registries.restart(&world.actor, &id).await.expect("asked for");
            is_healthy(&world, &id, REPAIR).await;
            assert_eq!(replicas().trim(), "1");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_another_program_took_is_named_and_given_back_it_works_again() {
    with_registry(
        |_| form("Main"),
        |lab, world, id, watch| async move {
            let _watch = watch;
            let port = world.registries.get(&world.actor, &id).await.expect("there").managed.expect("managed").port;
            lab.docker(&["service", "scale", "-d", &format!("{}=0", service(&id))]);
            says(&world, &id, SOON, "stopped", |status| status.state == ManagedState::Stopped).await;
            let taken = eventually(REPAIR, "the port is free", || async {
                std::net::TcpListener::bind(("0.0.0.0", port)).ok()
            })
            .await;
            lab.docker(&["service", "scale", "-d", &format!("{}=1", service(&id))]);
            let told = says(&world, &id, SOON, "taken", |status| has(status, "registry.port_taken")).await;
            assert_eq!(told.state, ManagedState::Failing);
            let problem = told.problem.expect("a problem");
            assert!(problem.remedy.contains(&port.to_string()) && problem.details.is_some(), "{problem:?}");
            drop(taken);
            is_healthy(&world, &id, REPAIR).await;
            assert_eq!(jobs(&world, &id).await, Vec::<String>::new(), "the Swarm tries again by itself");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_was_removed_is_said_loudly_and_its_loss_can_be_accepted() {
    with_registry(
        |_| form("Main"),
        |lab, world, id, watch| async move {
            let _watch = watch;
            push_and_pull(&world, &lab, &id).await;
            let name = service(&id);
            lab.docker(&["service", "scale", "-d", &format!("{name}=0")]);
            says(&world, &id, SOON, "stopped", |status| status.state == ManagedState::Stopped).await;
            let filter = format!("label=com.docker.swarm.service.name={name}");
            eventually(REPAIR, "its containers end", || async {
                let running = lab.docker(&["ps", "-q", "--filter", &filter]);
                running.trim().is_empty().then_some(())
            })
            .await;
            for container in lab.docker(&["ps", "-aq", "--filter", &filter]).lines() {
                lab.docker(&["rm", "-f", container]);
            }
            lab.docker(&["volume", "rm", &name]);
            let _sweep = SweepVolume(lab.clone(), name.clone());
            let gone = says(&world, &id, SOON, "gone", |status| has(status, Managed::VOLUME_CHANGED)).await;
            assert_eq!(gone.state, ManagedState::Failing);

            // Docker makes an empty one, and what runs then looks well.
            lab.docker(&["service", "scale", "-d", &format!("{name}=1")]);
            let empty = |status: &ManagedStatus| {
                has(status, Managed::VOLUME_CHANGED)
                    && status.probe.as_ref().is_some_and(|probe| probe.ok && probe.at > gone.looked_at)
            };
            let empty = says(&world, &id, REPAIR, "empty", empty).await;
            assert_eq!(empty.state, ManagedState::Failing);
            assert!(empty.headline.contains("images are gone"), "{}", empty.headline);
            assert!(jobs(&world, &id).await.is_empty(), "nothing is repaired over it");

            world.registries.accept_loss(&world.actor, &id).await.expect("accepted");
            is_healthy(&world, &id, SOON).await;
            let noted: i64 = sqlx::query_scalar("SELECT count(*) FROM activity WHERE verb = 'registry.loss_accepted'")
                .fetch_one(world.db.read())
                .await
                .expect("asked");
            assert_eq!(noted, 1, "it is on record");
            push_and_pull(&world, &lab, &id).await;
        },
    )
    .await;
}

/// Removes a volume that Docker made by itself: it has no label by which the sweep would find it.
struct SweepVolume(Lab, String);

impl Drop for SweepVolume {
    fn drop(&mut self) {
        for _ in 0..80 {
            let remove = ["service", "volume"].map(|kind| {
                let output =
                    Command::new("docker").arg("-H").arg(&self.0.docker_host).args([kind, "rm", &self.1]).output();
                output.is_ok_and(|output| output.status.success())
            });
            if remove[1] {
                return;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }
}

/// A file system of a few MB behind a volume; goes away with it.
struct SmallDisk {
    lab: Lab,
    volume: String,
    device: String,
    _folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Err: this machine doesn't let us, and why.
    fn make(lab: &Lab) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let image: PathBuf = folder.path().join("disk");
        std::fs::File::create(&image).and_then(|file| file.set_len(24 << 20)).expect("a file");
        let run = |program: &str, args: &[&str], file: &Path| {
            let output = Command::new(program).args(args).arg(file).output().map_err(|error| error.to_string())?;
            if output.status.success() {
                Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
            } else {
                Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
            }
        };
        run("mkfs.ext4", &["-q", "-m", "0"], &image)?;
        let device = run("losetup", &["-f", "--show"], &image)?;
        let volume = crate::services::world::unique("small");
        let made = Self { lab: lab.clone(), volume, device, _folder: folder };
        let device = format!("device={}", made.device);
        lab.docker(&["volume", "create", "-o", "type=ext4", "-o", &device, &made.volume]);
        Ok(made)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        for _ in 0..80 {
            let docker = Command::new("docker")
                .arg("-H")
                .arg(&self.lab.docker_host)
                .args(["volume", "rm", &self.volume])
                .output();
            let losetup = Command::new("losetup").args(["-d", &self.device]).output();
            if docker.is_ok_and(|output| output.status.success()) && losetup.is_ok_and(|output| output.status.success())
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_pushes_work_again_when_there_is_room() {
    let Some(lab) = Lab::find() else { return };
    let disk = match SmallDisk::make(&lab) {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped: no small file system can be made here: {reason}");
            return;
        }
    };
    let volume = disk.volume.clone();
    with_registry(
        |_| ManagedForm { volume, ..form("Main") },
        |lab, world, id, watch| async move {
            let _watch = watch;
            let before = says(&world, &id, SOON, "looked at", |status| status.disk.is_some()).await;
            assert!(before.disk.is_some_and(|disk| disk.total < 24 << 20), "its room is known: {:?}", before.disk);
            let filter = format!("label=com.docker.swarm.service.name={}", service(&id));
            let container = lab.docker(&["ps", "-q", "--filter", &filter]).trim().to_owned();
            // Fails when the disk is full, which is what it is for.
            let fill = Command::new("docker")
                .args(["-H", &lab.docker_host, "exec", &container])
                .args(["dd", "if=/dev/zero", "of=/var/lib/registry/fill", "bs=4k"])
                .output()
                .expect("docker runs");
            assert!(!fill.status.success(), "{fill:?}");
            let full = says(&world, &id, SOON, "full", |status| has(status, "registry.disk_full")).await;
            assert_eq!(full.state, ManagedState::Failing, "{full:?}");
            assert!(full.disk.is_some_and(|disk| disk.free < 100_000), "{:?}", full.disk);
            let failed = full.probe.expect("probed").steps.into_iter().find(|step| step.ok == Some(false));
            assert_eq!(failed.map(|step| step.name).as_deref(), Some("push"));

            lab.docker(&["exec", &container, "rm", "/var/lib/registry/fill"]);
            is_healthy(&world, &id, SOON).await;
            assert!(jobs(&world, &id).await.is_empty(), "there was nothing to repair");
        },
    )
    .await;
    drop(disk);
}

/// Passes connections to this machine's port on to another host's.
async fn forward(port: u16, to: String) -> AbortOnDropHandle<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut calls = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let to = to.clone();
            calls.spawn(async move {
                if let Ok(mut far) = tokio::net::TcpStream::connect((to.as_str(), port)).await {
                    // Either side may break off; that is what the test is about.
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    }))
}

/// The registry's image as a file, for an engine that never had it.
fn folder_with_image(lab: &Lab) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("image.tar").display().to_string();
    lab.docker(&["save", "-o", &file, "slipway-lab/registry:2"]);
    folder
}

/// One test, because there is one second engine.
#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_daemon_and_a_drained_node_are_said_and_it_comes_back_by_itself() {
    let Some(lab) = Lab::find() else { return };
    let _alone = lab.second_alone();
    lab.second("reset");
    let there = lab.at(&lab.second.docker_host);
    let image = folder_with_image(&lab);
    there.docker(&["load", "-q", "-i", &image.path().join("image.tar").display().to_string()]);
    there.docker(&["swarm", "init", "--advertise-addr", &lab.second.address]);
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), &there.docker_host).await;
    let form = form("Main");
    let port = form.port.parse().expect("a port");
    let (id, job) = world.registries.create_managed(&world.actor, form).await.expect("asked for");
    // That engine has a network of its own: its ports are on its address.
    let _forward = forward(port, lab.second.address.clone()).await;
    world.start();
    super::house::succeeded(&world, &job).await;
    let watch = Watch::start(&world);
    is_healthy(&world, &id, SOON).await;

    let node = there.docker(&["node", "ls", "-q"]).trim().to_owned();
    there.docker(&["node", "update", "--availability", "drain", &node]);
    let drained = says(&world, &id, SOON, "drained", |status| has(status, "registry.node_drained")).await;
    assert_eq!(drained.state, ManagedState::Failing);
    assert!(drained.problem.is_some_and(|problem| problem.cause.contains("volume")), "it says why it can't move");
    there.docker(&["node", "update", "--availability", "active", &node]);
    is_healthy(&world, &id, REPAIR).await;

    let pid = std::fs::read_to_string(&lab.second.docker_pid).expect("a pid").trim().parse().expect("a number");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).expect("told");
    let gone = says(&world, &id, SOON, "docker is gone", |status| status.state == ManagedState::Failing).await;
    assert!(gone.problem.is_some(), "{gone:?}");
    eventually(REPAIR, "it ended", || async { (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()) }).await;
    lab.second("start");
    is_healthy(&world, &id, REPAIR).await;
    assert!(jobs(&world, &id).await.is_empty(), "the Swarm did it: {:?}", jobs(&world, &id).await);
    drop(watch);
    lab.second("reset");
}
