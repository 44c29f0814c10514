//! `type = "alertmanager"`

use std::time::Duration;

use super::{Section, Surroundings, Type, token, url};
use crate::config::problems::Read;
use crate::config::secret::secret;
use crate::config::values::checked;
use crate::config::{Login, ReceiverKind};
use crate::decide::route::Audience;

pub(super) const TYPE: Type = Type {
    name: "alertmanager",
    keys: &["url", "user", "password", "token"],
    audience: Audience::Incidents,
    time_out: Duration::from_secs(15),
    read,
};

fn read(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<ReceiverKind> {
    let (url, login) = (url(section, surroundings), login(section, surroundings));
    Ok(ReceiverKind::Alertmanager {
        url: url?,
        login: login?,
    })
}

/// `user` with `password`, or `token`, or none of them.
fn login(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Read<Option<Login>> {
    let has = |key| section.get(key).is_some();
    if has("token") {
        if let Some(item) = section.get("user").or(section.get("password")) {
            return Err(item.error("stands beside `token`: a login is either a token, or a user with a password"));
        }
        let token = token(section, "token", "a bearer token", surroundings)?;
        return Ok(Some(Login::Bearer { token }));
    }
    if !has("user") && !has("password") {
        return Ok(None);
    }
    // RFC 7617: the name ends with the first colon.
    let expected = "a user's name, without a colon";
    let user = section
        .required("user", expected)
        .and_then(|item| checked(&item, expected, |user| !user.is_empty() && !user.contains(':')));
    let password = section
        .required(
            "password",
            "the user's password, as text or by reference: { env = \"NAME\" }",
        )
        .and_then(|item| secret(&item, surroundings));
    Ok(Some(Login::Basic {
        user: user?,
        password: password?.value,
    }))
}
