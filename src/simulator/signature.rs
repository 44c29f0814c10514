//! AWS Signature Version 4, verified: the signature is computed anew from what arrived, and compared.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. Any access key id is
//! taken, with the one secret that the simulator was given. The messages are those that AWS's JSON services answer with,
//! as its troubleshooting guide has them:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Request, header};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::refusal::Refusal;
use crate::model::Timestamp;

/// The name that Cloud Control has in a credential scope.
const SERVICE: &str = "cloudcontrolapi";

/// How far the time of a signature may be from the service's clock.
const TOLERANCE: Duration = Duration::from_mins(5);

/// What an Authorization header says.
#[derive(Debug)]
struct Authorization<'a> {
    access_key: &'a str,
    date: &'a str,
    region: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// Says why a call can't be taken for its caller's own.
pub(super) fn verify(request: &Request<Bytes>, secret: &SecretString, server_now: Timestamp) -> Result<(), Refusal> {
    let authorization = Authorization::read(request)?;
    let signed_at = signed_at(request, &authorization, server_now)?;
    let expected =
        signature(request, &authorization, secret, signed_at).ok_or_else(Refusal::signature_does_not_match)?;
    // In a time that says nothing about where they differ.
    if bool::from(expected.as_bytes().ct_eq(authorization.signature.as_bytes())) {
        Ok(())
    } else {
        Err(Refusal::signature_does_not_match())
    }
}

impl<'a> Authorization<'a> {
    fn read(request: &'a Request<Bytes>) -> Result<Self, Refusal> {
        let header = request
            .headers()
            .get(header::AUTHORIZATION)
            .ok_or_else(Refusal::missing_authentication_token)?;
        let parameters = header
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("AWS4-HMAC-SHA256"));
        let parameters = parameters.ok_or_else(Refusal::missing_authentication_token)?;
        let parameter = |name: &str| {
            parameters
                .split(',')
                .filter_map(|parameter| parameter.trim().split_once('='))
                .find_map(|(key, value)| (key == name).then_some(value))
        };
        let found @ (credential, signature, signed_headers) = (
            parameter("Credential"),
            parameter("Signature"),
            parameter("SignedHeaders"),
        );
        let (Some(credential), Some(signature), Some(signed_headers)) = found else {
            let missing: Vec<String> = [
                ("Credential", credential),
                ("Signature", signature),
                ("SignedHeaders", signed_headers),
            ]
            .into_iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
            .collect();
            return Err(Refusal::incomplete_signature(&missing.join(" ")));
        };
        let elements: Vec<&str> = credential.split('/').collect();
        let &[access_key, date, region, service, term] = elements.as_slice() else {
            return Err(Refusal::incomplete_signature(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
            ));
        };
        if service != SERVICE {
            let message = format!("Credential should be scoped to correct service: '{SERVICE}'. ");
            return Err(Refusal::invalid_signature(message));
        }
        if term != "aws4_request" {
            let message = "Credential should be scoped with a valid terminator: 'aws4_request'. ";
            return Err(Refusal::invalid_signature(message.to_owned()));
        }
        if !signed_headers.split(';').any(|name| name == "host") {
            let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(Refusal::invalid_signature(message.to_owned()));
        }
        Ok(Self {
            access_key,
            date,
            region,
            signed_headers,
            signature,
        })
    }
}

/// When the call was signed, which must be about now.
fn signed_at(
    request: &Request<Bytes>,
    authorization: &Authorization<'_>,
    server_now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let text = request
        .headers()
        .get("x-amz-date")
        .and_then(|value| value.to_str().ok());
    let signed_at = text.and_then(|text| DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok());
    let signed_at = signed_at.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    let Some(signed_at) = signed_at.map(|time| Timestamp::from(time.timestamp())) else {
        return Err(Refusal::incomplete_signature(
            "Authorization header requires existence of a 'X-Amz-Date' header in the form 20150830T123600Z.",
        ));
    };
    let (signed, now) = (written(signed_at), written(server_now));
    if !signed.starts_with(authorization.date) || authorization.date.len() != 8 {
        return Err(Refusal::invalid_signature(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from \
             '{signed}'.",
            authorization.date.chars().take(16).collect::<String>(),
            &signed[..8],
        )));
    }
    let (earliest, latest) = (server_now.minus(TOLERANCE), server_now.plus(TOLERANCE));
    if signed_at < earliest {
        return Err(Refusal::invalid_signature(format!(
            "Signature expired: {signed} is now earlier than {} ({now} - 5 min.)",
            written(earliest)
        )));
    }
    if signed_at > latest {
        return Err(Refusal::invalid_signature(format!(
            "Signature not yet current: {signed} is still later than {} ({now} + 5 min.)",
            written(latest)
        )));
    }
    Ok(signed_at)
}

/// ISO 8601 without punctuation, as signatures have it.
fn written(time: Timestamp) -> String {
    time.to_utc().strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The signature that these headers, this body and the secret give; `None` if they can't be signed at all.
fn signature(
    request: &Request<Bytes>,
    authorization: &Authorization<'_>,
    secret: &SecretString,
    signed_at: Timestamp,
) -> Option<String> {
    let signed_headers = authorization.signed_headers.split(';').filter_map(|name| {
        let value = request.headers().get(name)?.to_str().ok()?;
        Some((name, value))
    });
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // A transport that knows no Host header has the host in its URI; where there is one, it is the header that counts.
    let host = request.uri().host().unwrap_or("simulator.invalid");
    let body = SignableBody::Bytes(request.body());
    let uri = format!("http://{host}{path}");
    let signable = SignableRequest::new(request.method().as_str(), uri, signed_headers, body).ok()?;

    let secret = secret.expose_secret();
    let identity = Credentials::new(authorization.access_key, secret, None, None, "simulator").into();
    let mut settings = SigningSettings::default();
    // What the client signed is signed: it has left out what it wanted to.
    settings.excluded_headers = None;
    let since_1970 = Duration::from_millis(signed_at.as_millis().try_into().ok()?);
    let parameters: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(SERVICE)
        .time(SystemTime::UNIX_EPOCH + since_1970)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let (_, signature) = sign(signable, &parameters).ok()?.into_parts();
    Some(signature)
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
