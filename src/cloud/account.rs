//! Which account a target's credentials belong to.

use aws_config::SdkConfig;

use super::failure::{Cause, Failure};
use crate::decide::back_off;
use crate::model::AccountId;

/// Asks STS. GetCallerIdentity needs no permission, but a policy can still deny it. What may pass (a network that is not
/// up yet) is tried a few times.
pub(super) async fn caller(shared: &SdkConfig) -> Result<AccountId, Failure> {
    const TRIES: u32 = 4;
    let client = aws_sdk_sts::Client::new(shared);
    let mut tried = 0;
    let identity = loop {
        tried += 1;
        match client
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| Failure::of(&error))
        {
            Ok(identity) => break identity,
            Err(failure) if failure.cause.needs_a_person() || tried == TRIES => return Err(failure),
            Err(_) => tokio::time::sleep(back_off::pause(tried, 0.0)).await,
        }
    };
    identity
        .account
        .map(AccountId)
        .ok_or_else(|| Failure::new(Cause::Malformed, "STS named no account"))
}
