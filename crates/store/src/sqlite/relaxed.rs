//! The way back, kept where a restart finds it.

use guard::{Relaxed, Tenant};
use ocpp::{StationId, Version};
use rusqlite::{Connection, Transaction};

use super::engine_error;
use crate::{StoreError, WayBack};

pub(super) fn read(connection: &Connection) -> Result<WayBack, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT tenant, identity, since FROM relaxed ORDER BY tenant, identity")
        .map_err(engine_error)?;
    let mut rows = statement.query(()).map_err(engine_error)?;
    let mut way_back = WayBack::default();
    while let Some(row) = rows.next().map_err(engine_error)? {
        let text = |column| row.get::<_, String>(column).map_err(engine_error);
        let (tenant, identity, since) = (text(0)?, text(1)?, text(2)?);
        let earliest = way_back.since.get_or_insert_with(|| since.clone());
        if since < *earliest {
            *earliest = since;
        }
        let tenant_name = Tenant(tenant.as_str().into());
        let relaxed = &mut way_back.relaxed;
        match (tenant.is_empty(), identity.is_empty()) {
            (true, _) => relaxed.fleet = true,
            (false, true) => relaxed.tenants.push(tenant_name),
            (false, false) => {
                let id = StationId::parse(&identity, Version::V16);
                let id = id.map_err(|_| StoreError::Damaged {
                    what: format!("the way back of station {identity}"),
                })?;
                relaxed.stations.push((tenant_name, id));
            }
        }
    }
    Ok(way_back)
}

/// Makes it these and no others; whoever was among them before keeps the day it began.
pub(super) fn replace(transaction: &Transaction<'_>, relaxed: &Relaxed) -> Result<(), StoreError> {
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    if relaxed.fleet {
        wanted.push(("", ""));
    }
    wanted.extend(relaxed.tenants.iter().map(|tenant| (&*tenant.0, "")));
    let stations = relaxed.stations.iter();
    wanted.extend(stations.map(|(tenant, id)| (&*tenant.0, id.as_str())));
    let known = read_keys(transaction)?;
    for (tenant, identity) in &known {
        if !wanted.contains(&(tenant, identity)) {
            let sql = "DELETE FROM relaxed WHERE tenant = ?1 AND identity = ?2";
            transaction
                .execute(sql, (tenant, identity))
                .map_err(engine_error)?;
        }
    }
    for (tenant, identity) in wanted {
        let sql = "INSERT OR IGNORE INTO relaxed (tenant, identity, since)
                   VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))";
        transaction
            .execute(sql, (tenant, identity))
            .map_err(engine_error)?;
    }
    Ok(())
}

fn read_keys(transaction: &Transaction<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = transaction
        .prepare_cached("SELECT tenant, identity FROM relaxed")
        .map_err(engine_error)?;
    let rows = statement
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(engine_error)?;
    rows.map(|row| row.map_err(engine_error)).collect()
}
