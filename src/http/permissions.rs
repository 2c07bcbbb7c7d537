//! Every address and what it takes to use it, in one table. What isn't here is refused; a route without an entry fails a
//! test.

use app::model::account::Action;
use http::Method;

/// What it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing, at any time: health and assets. No session is looked at.
    Always,
    /// Nothing, once there is an account: signing in.
    Public,
    /// That there is no account yet.
    SetupOnly,
    /// Being signed in, and allowed to do this.
    SignedIn(Action),
    /// A signature that the handler checks; sessions and where it comes from don't count. Routes of [`super::hooks`] alone.
    Signed,
    /// A token that may do this; a session's cookie doesn't count. Routes of the API alone.
    Bearer(Action),
}

use Access::{Always, Bearer, Public, SetupOnly, Signed, SignedIn};
use Action::{ManageCredentials, ManageOwnAccount, ManageRegistries, ManageServices, ManageSettings, Read};

const GET: &Method = &Method::GET;
const POST: &Method = &Method::POST;
const DELETE: &Method = &Method::DELETE;

/// Method, address as the router has it (server functions: their own), access.
pub const TABLE: &[(&Method, &str, Access)] = &[
    // Without a session.
    (GET, "/healthz", Always),
    (GET, "/readyz", Always),
    (GET, "/assets/{*path}", Always),
    (GET, "/favicon.svg", Always),
    (GET, "/robots.txt", Always),
    // First run, signing in and out.
    (GET, "/setup", SetupOnly),
    (POST, "/api/accounts/set-up", SetupOnly),
    (GET, "/sign-in", Public),
    (POST, "/api/accounts/sign-in", Public),
    (POST, "/api/accounts/sign-out", SignedIn(ManageOwnAccount)),
    (POST, "/api/accounts/sign-out-everywhere", SignedIn(ManageOwnAccount)),
    (POST, "/api/accounts/change-password", SignedIn(ManageOwnAccount)),
    // Pages.
    (GET, "/", SignedIn(Read)),
    (GET, "/services", SignedIn(Read)),
    (GET, "/services/new", SignedIn(ManageServices)),
    (GET, "/services/{id}", SignedIn(Read)),
    (GET, "/services/{id}/edit", SignedIn(ManageServices)),
    (GET, "/services/{id}/build", SignedIn(ManageServices)),
    (GET, "/services/{id}/delete", SignedIn(ManageServices)),
    (GET, "/services/{id}/triggers", SignedIn(ManageServices)),
    (GET, "/services/{id}/retention", SignedIn(ManageServices)),
    (GET, "/builds", SignedIn(Read)),
    (GET, "/builds/{id}", SignedIn(Read)),
    (GET, "/builds/{id}/attestations/{position}", SignedIn(Read)),
    (GET, "/deployments/{id}", SignedIn(Read)),
    (GET, "/deployments/{id}/roll-back", SignedIn(ManageServices)),
    (GET, "/registries", SignedIn(Read)),
    (GET, "/registries/new", SignedIn(ManageRegistries)),
    (GET, "/registries/{id}", SignedIn(Read)),
    (GET, "/registries/{id}/edit", SignedIn(ManageRegistries)),
    (GET, "/registries/{id}/garbage", SignedIn(Read)),
    (GET, "/registries/{id}/logs", SignedIn(Read)),
    (GET, "/registries/{id}/retention", SignedIn(Read)),
    (GET, "/registries/{id}/password", SignedIn(ManageRegistries)),
    (GET, "/registries/{id}/trash", SignedIn(Read)),
    (GET, "/registries/{id}/runs/{run}", SignedIn(Read)),
    (GET, "/registries/{id}/delete", SignedIn(ManageRegistries)),
    (GET, "/credentials", SignedIn(Read)),
    (GET, "/credentials/new", SignedIn(ManageCredentials)),
    (GET, "/credentials/import", SignedIn(ManageCredentials)),
    (GET, "/credentials/import/{id}", SignedIn(ManageCredentials)),
    (GET, "/credentials/{id}", SignedIn(Read)),
    (GET, "/credentials/{id}/delete", SignedIn(ManageCredentials)),
    (GET, "/images", SignedIn(Read)),
    (GET, "/images/repository", SignedIn(Read)),
    (GET, "/images/image", SignedIn(Read)),
    (GET, "/jobs", SignedIn(Read)),
    (GET, "/jobs/{id}", SignedIn(Read)),
    (GET, "/cleanup", SignedIn(Read)),
    (GET, "/settings", SignedIn(Read)),
    (GET, "/settings/builds", SignedIn(ManageSettings)),
    (GET, "/settings/builders", SignedIn(Read)),
    (GET, "/settings/builders/new", SignedIn(ManageSettings)),
    (GET, "/settings/builders/{id}", SignedIn(Read)),
    (GET, "/settings/builders/{id}/delete", SignedIn(ManageSettings)),
    (GET, "/settings/tokens", SignedIn(ManageOwnAccount)),
    (GET, "/settings/git", SignedIn(Read)),
    (GET, "/settings/git/new", SignedIn(ManageCredentials)),
    (GET, "/settings/git/{id}", SignedIn(Read)),
    (GET, "/settings/git/{id}/delete", SignedIn(ManageCredentials)),
    // Streams.
    (GET, "/jobs/{id}/log", SignedIn(Read)),
    (GET, "/jobs/{id}/log/lines", SignedIn(Read)),
    (GET, "/jobs/{id}/log.txt", SignedIn(Read)),
    (GET, "/registries/{id}/log", SignedIn(Read)),
    (GET, "/registries/{id}/log.txt", SignedIn(Read)),
    (GET, "/builds/{id}/attestations/{position}/statement.json", SignedIn(Read)),
    // Pieces of pages, for islands. They may ask registries.
    (GET, "/images/options", SignedIn(Read)),
    (GET, "/services/push-name", SignedIn(ManageServices)),
    // Server functions.
    (POST, "/api/credentials/create", SignedIn(ManageCredentials)),
    (POST, "/api/credentials/read", SignedIn(ManageCredentials)),
    (POST, "/api/credentials/import", SignedIn(ManageCredentials)),
    (POST, "/api/credentials/update", SignedIn(ManageCredentials)),
    (POST, "/api/credentials/check", SignedIn(ManageCredentials)),
    (POST, "/api/credentials/delete", SignedIn(ManageCredentials)),
    (POST, "/api/images/look", SignedIn(Read)),
    (POST, "/api/images/refresh", SignedIn(ManageCredentials)),
    (POST, "/api/registries/create", SignedIn(ManageRegistries)),
    (POST, "/api/registries/update", SignedIn(ManageRegistries)),
    (POST, "/api/registries/make-default", SignedIn(ManageRegistries)),
    (POST, "/api/registries/delete", SignedIn(ManageRegistries)),
    (POST, "/api/registries/create-managed", SignedIn(ManageRegistries)),
    (POST, "/api/registries/update-managed", SignedIn(ManageRegistries)),
    (POST, "/api/registries/retry", SignedIn(ManageRegistries)),
    (POST, "/api/registries/restart", SignedIn(ManageRegistries)),
    (POST, "/api/registries/rotate", SignedIn(ManageRegistries)),
    (POST, "/api/registries/check", SignedIn(ManageRegistries)),
    (POST, "/api/registries/collect-garbage", SignedIn(ManageRegistries)),
    (POST, "/api/registries/garbage-rule", SignedIn(ManageRegistries)),
    (POST, "/api/registries/accept-loss", SignedIn(ManageRegistries)),
    (POST, "/api/retention/registry-rules", SignedIn(ManageRegistries)),
    (POST, "/api/retention/remove-registry-rules", SignedIn(ManageRegistries)),
    (POST, "/api/retention/look", SignedIn(ManageRegistries)),
    (POST, "/api/retention/service-rules", SignedIn(ManageServices)),
    (POST, "/api/retention/remove-service-rules", SignedIn(ManageServices)),
    (POST, "/api/retention/run", SignedIn(ManageRegistries)),
    (POST, "/api/retention/restore", SignedIn(ManageRegistries)),
    (POST, "/api/retention/empty-trash", SignedIn(ManageRegistries)),
    (POST, "/api/services/create", SignedIn(ManageServices)),
    (POST, "/api/services/update", SignedIn(ManageServices)),
    (POST, "/api/services/build-settings", SignedIn(ManageServices)),
    (POST, "/api/services/delete", SignedIn(ManageServices)),
    (POST, "/api/services/deploy", SignedIn(ManageServices)),
    (POST, "/api/services/restart", SignedIn(ManageServices)),
    (POST, "/api/services/scale", SignedIn(ManageServices)),
    (POST, "/api/services/look-at-tag", SignedIn(ManageServices)),
    (POST, "/api/services/roll-back", SignedIn(ManageServices)),
    (POST, "/api/services/cancel-deployment", SignedIn(ManageServices)),
    (POST, "/api/services/check-readiness", SignedIn(ManageServices)),
    (POST, "/api/services/pin", SignedIn(ManageServices)),
    (POST, "/api/services/keep", SignedIn(ManageServices)),
    (POST, "/api/services/resume", SignedIn(ManageServices)),
    (POST, "/api/builds/start", SignedIn(ManageServices)),
    (POST, "/api/builds/cancel", SignedIn(ManageServices)),
    (POST, "/api/builds/again", SignedIn(ManageServices)),
    (POST, "/api/builds/move", SignedIn(ManageServices)),
    (POST, "/api/settings/build-rules", SignedIn(ManageSettings)),
    (POST, "/api/cleanup/rules", SignedIn(ManageSettings)),
    (POST, "/api/cleanup/look", SignedIn(ManageSettings)),
    (POST, "/api/cleanup/run", SignedIn(ManageSettings)),
    (POST, "/api/builds/check-push", SignedIn(ManageServices)),
    (POST, "/api/builds/check-form", SignedIn(ManageServices)),
    (POST, "/api/git-accesses/create", SignedIn(ManageCredentials)),
    (POST, "/api/git-accesses/replace-token", SignedIn(ManageCredentials)),
    (POST, "/api/git-accesses/look", SignedIn(ManageCredentials)),
    (POST, "/api/git-accesses/trust", SignedIn(ManageCredentials)),
    (POST, "/api/git-accesses/test", SignedIn(ManageCredentials)),
    (POST, "/api/git-accesses/delete", SignedIn(ManageCredentials)),
    (POST, "/api/triggers/save", SignedIn(ManageServices)),
    (POST, "/api/triggers/renew", SignedIn(ManageServices)),
    (POST, "/api/triggers/delete", SignedIn(ManageServices)),
    (POST, "/api/builders/create", SignedIn(ManageSettings)),
    (POST, "/api/builders/update", SignedIn(ManageSettings)),
    (POST, "/api/builders/add-machine", SignedIn(ManageSettings)),
    (POST, "/api/builders/remove-machine", SignedIn(ManageSettings)),
    (POST, "/api/builders/check", SignedIn(ManageSettings)),
    (POST, "/api/builders/clear-cache", SignedIn(ManageSettings)),
    (POST, "/api/builders/delete", SignedIn(ManageSettings)),
    (POST, "/api/settings/theme", SignedIn(ManageOwnAccount)),
    (POST, "/api/settings/start-swarm", SignedIn(ManageSettings)),
    (POST, "/api/tokens/create", SignedIn(ManageOwnAccount)),
    (POST, "/api/tokens/revoke", SignedIn(ManageOwnAccount)),
    // What git hosts and pipelines send.
    (POST, "/hooks/{id}", Signed),
    (POST, "/hooks/{id}/deploy", Signed),
    // The API for programs. Its document says what the source says.
    (GET, "/api/v1/openapi.json", Always),
    (GET, "/api/v1/registries", Bearer(Read)),
    (POST, "/api/v1/registries", Bearer(ManageRegistries)),
    (GET, "/api/v1/registries/{id}", Bearer(Read)),
    (DELETE, "/api/v1/registries/{id}", Bearer(ManageRegistries)),
    (GET, "/api/v1/registries/{id}/status", Bearer(Read)),
    (GET, "/api/v1/registries/{id}/logs", Bearer(Read)),
    (POST, "/api/v1/registries/{id}/restart", Bearer(ManageRegistries)),
    (GET, "/api/v1/jobs/{id}", Bearer(Read)),
];

/// What the table says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// This is what it takes.
    Found(Access),
    /// The address takes another method.
    OtherMethod(&'static Method),
    /// There is no such address.
    Missing,
}

/// Looks an address up. HEAD is a GET without body.
pub fn find(method: &Method, address: &str) -> Entry {
    let method = if method == Method::HEAD { GET } else { method };
    let mut others = Entry::Missing;
    for (allowed, path, access) in TABLE {
        if *path == address {
            if *allowed == method {
                return Entry::Found(*access);
            }
            others = Entry::OtherMethod(allowed);
        }
    }
    others
}

/// The methods that an address takes.
pub fn methods(address: &str) -> impl Iterator<Item = &'static Method> {
    TABLE.iter().filter(move |(_, path, _)| *path == address).map(|(method, _, _)| *method)
}
