//! All services.

use crate::model::service::ServiceSummary;
use crate::pages::{Page, PageResult};
use crate::ui::table::{col, wide};
use crate::ui::{Age, Card, Empty, Icon, JobBadge, Name, PageHead, ServiceBadge, Table};
use crate::{paths, request};
use leptos::prelude::*;

/// A table of services.
pub fn table(services: Vec<ServiceSummary>) -> impl IntoView + use<> {
    let rows = services
        .into_iter()
        .map(|service| {
            view! {
                <tr>
                    <td><a href=paths::service(&service.id)>{service.name}</a></td>
                    <td>{service.project}</td>
                    <td><ServiceBadge state=service.state/></td>
                    <td class="wide num">{service.deployment.map_or_else(|| "–".to_owned(), |number| format!("#{number}"))}</td>
                    <td class="wide">{service.last_build.map(|state| view! { <JobBadge state/> })}</td>
                    <td><Age millis=service.changed/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        col("Service"),
        col("Project"),
        col("State"),
        crate::ui::table::Column { name: "Deployment", class: "wide num" },
        wide("Last build"),
        col("Changed"),
    ];
    view! { <Table name="Services" columns=columns>{rows}</Table> }
}

/// The page.
pub async fn show() -> PageResult {
    let (actor, backend) = request::signed_in()?;
    let services = backend.services.list(&actor).await?;
    let content = if services.is_empty() {
        view! {
            <Empty
                title="No services yet"
                why="A service is built from a git repository, or takes an image that is there already, and runs in the Swarm."
                action=(paths::NEW_SERVICE.into(), "Create a service")
            />
        }
        .into_any()
    } else {
        table(services).into_any()
    };
    Ok(Page::new(
        "Services",
        view! {
            <PageHead title="Services">
                <a class="button primary" href=paths::NEW_SERVICE><Icon name=Name::Plus/>"New service"</a>
            </PageHead>
            <Card title="All services" flush=true>{content}</Card>
        },
    ))
}
