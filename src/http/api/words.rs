//! Choices of one word, with the API's own names, so that the model's can change without breaking programs.

use app::model::{job, registry};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$about:meta])* $name:ident of $model:path { $($word:ident),* $(,)? })*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            #[serde(rename_all = "snake_case")]
            pub enum $name { $($word),* }

            impl From<$model> for $name {
                fn from(word: $model) -> Self {
                    use $model as Model;
                    match word { $(Model::$word => Self::$word),* }
                }
            }

            impl From<$name> for $model {
                fn from(word: $name) -> Self {
                    match word { $($name::$word => Self::$word),* }
                }
            }
        )*
    };
}

words! {
    /// Where a registry that Slipway runs is in its life.
    Phase of registry::Phase { Creating, Running, Failed, Deleting }

    /// How it is reached as `127.0.0.1:<port>`: published on the node that runs it, by the routing mesh, or by a proxy on
    /// every node.
    Reach of registry::Reach { Host, Mesh, Proxy }

    /// How a registry that Slipway runs is, in one word.
    State of registry::ManagedState { Unknown, Working, Healthy, Warning, Failing, Stopped, NotCreated }

    /// How bad a line of a log is.
    Severity of registry::Severity { Debug, Info, Warning, Error }

    /// Where a job is.
    JobState of job::JobState { Queued, Running, Cancelling, Succeeded, Failed, Cancelled, Superseded }

    /// Where a step of a job is.
    StepState of job::StepState { Running, Done, Failed }
}
