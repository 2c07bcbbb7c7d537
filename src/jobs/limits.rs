//! Limits that are set at run time and outlast it: of lanes, and of anything else that jobs take places of.

use super::Jobs;
use crate::storage::Tx;

impl Jobs {
    /// From now on at most so many jobs that name this resource run at once; for a lane, [`super::Lane::resource`]. Those
    /// that run go on. In the caller's transaction; call [`Jobs::wake`] after the commit.
    pub async fn set_limit(&self, tx: &mut Tx, resource: &str, most: u32) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO job_limits (resource, most) VALUES (?, ?)
             ON CONFLICT (resource) DO UPDATE SET most = excluded.most",
        )
        .bind(resource)
        .bind(most.max(1))
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// From now on there is no limit but the lane's usual one. In the caller's transaction; call [`Jobs::wake`] after the
    /// commit.
    pub async fn remove_limit(&self, tx: &mut Tx, resource: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM job_limits WHERE resource = ?").bind(resource).execute(&mut **tx).await?;
        Ok(())
    }
}
