//! Which account a target's credentials belong to.

use aws_config::SdkConfig;

use super::failure::{Cause, Failure};
use crate::model::AccountId;

/// Asks STS. GetCallerIdentity needs no permission, but a policy can still deny it.
pub(super) async fn caller(shared: &SdkConfig) -> Result<AccountId, Failure> {
    let answer = aws_sdk_sts::Client::new(shared).get_caller_identity().send().await;
    let identity = answer.map_err(|error| Failure::of(&error))?;
    identity
        .account
        .map(AccountId)
        .ok_or_else(|| Failure::new(Cause::Malformed, "STS named no account"))
}
