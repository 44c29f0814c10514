//! Signatures as AWS's own signer makes them, and what is wrong with others.

use aws_sigv4::http_request::SignatureLocation;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_767_110_540_245);

fn secret() -> SecretString {
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()
}

/// A call that is signed by `secret` at `time`, for this service and Region.
fn signed(secret: &SecretString, time: Timestamp, service: &str) -> Request<Bytes> {
    let mut request = Request::post("/")
        .header("host", "127.0.0.1:4599")
        .header("x-amz-target", "CloudApiService.ListResourceRequests")
        .header("content-type", "application/x-amz-json-1.0")
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let body = SignableBody::Bytes(b"{}");
    let signable = SignableRequest::new("POST", "http://127.0.0.1:4599/", headers, body).unwrap();
    let token = Some("a session token".to_owned());
    let identity = Credentials::new("ASIAQNZGKIQY56JQ7WML", secret.expose_secret(), token, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::Headers;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(time.as_millis().unsigned_abs()))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}

fn with_authorization(change: impl FnOnce(&str) -> String) -> Request<Bytes> {
    let mut request = signed(&secret(), NOW, SERVICE);
    let changed = change(request.headers()["authorization"].to_str().unwrap());
    request.headers_mut().insert("authorization", changed.parse().unwrap());
    request
}

#[test]
fn what_the_signer_of_the_sdk_signs_is_taken() {
    for offset in [0, 299] {
        let offset = Duration::from_secs(offset);
        verify(&signed(&secret(), NOW.minus(offset), SERVICE), &secret(), NOW).unwrap();
        verify(&signed(&secret(), NOW.plus(offset), SERVICE), &secret(), NOW).unwrap();
    }
}

#[test]
fn whatever_is_changed_on_the_way_is_found_out() {
    type Change = fn(&mut Request<Bytes>);
    let changes: [Change; 6] = [
        |request| *request.body_mut() = Bytes::from_static(b"{ }"),
        |request| *request.method_mut() = http::Method::PUT,
        |request| *request.uri_mut() = "/?a=b".parse().unwrap(),
        |request| {
            request
                .headers_mut()
                .insert("x-amz-target", "CloudApiService.GetResource".parse().unwrap());
        },
        |request| {
            request.headers_mut().remove("x-amz-security-token");
        },
        |request| {
            request.headers_mut().insert("host", "example.com".parse().unwrap());
        },
    ];
    for change in changes {
        let mut request = signed(&secret(), NOW, SERVICE);
        change(&mut request);
        assert_eq!(
            verify(&request, &secret(), NOW),
            Err(Refusal::signature_does_not_match()),
            "{request:?}"
        );
    }
    let other = signed(&"another".into(), NOW, SERVICE);
    assert_eq!(verify(&other, &secret(), NOW), Err(Refusal::signature_does_not_match()));
    let for_another_key = with_authorization(|text| text.replace("Signature=", "Signature=0"));
    assert_eq!(
        verify(&for_another_key, &secret(), NOW),
        Err(Refusal::signature_does_not_match())
    );
}

#[test]
fn a_signature_holds_for_five_minutes() {
    let late = Duration::from_secs(301);
    let refusal = verify(&signed(&secret(), NOW.minus(late), SERVICE), &secret(), NOW).unwrap_err();
    assert_eq!(refusal.code, "InvalidSignatureException");
    assert_eq!(
        refusal.message,
        "Signature expired: 20251230T155719Z is now earlier than 20251230T155720Z (20251230T160220Z - 5 min.)"
    );
    let refusal = verify(&signed(&secret(), NOW.plus(late), SERVICE), &secret(), NOW).unwrap_err();
    assert_eq!(
        refusal.message,
        "Signature not yet current: 20251230T160721Z is still later than 20251230T160720Z (20251230T160220Z + 5 min.)"
    );
}

#[test]
fn what_is_missing_or_meant_for_another_is_said() {
    let without = |name: &str| {
        let mut request = signed(&secret(), NOW, SERVICE);
        request.headers_mut().remove(name);
        request
    };
    for (request, code, says) in [
        (
            without("authorization"),
            "MissingAuthenticationTokenException",
            "Request is missing Authentication Token",
        ),
        (
            with_authorization(|_| "Basic dXNlcjpwYXNz".to_owned()),
            "MissingAuthenticationTokenException",
            "missing Authentication Token",
        ),
        (without("x-amz-date"), "IncompleteSignatureException", "'X-Amz-Date'"),
        (
            with_authorization(|_| "AWS4-HMAC-SHA256 SignedHeaders=host".to_owned()),
            "IncompleteSignatureException",
            "requires 'Credential' parameter. Authorization header requires 'Signature' parameter.",
        ),
        (
            with_authorization(|text| text.replace("/eu-west-1", "")),
            "IncompleteSignatureException",
            "exactly 5 slash-delimited elements",
        ),
        (
            signed(&secret(), NOW, "s3"),
            "InvalidSignatureException",
            "correct service: 'cloudcontrolapi'",
        ),
        (
            with_authorization(|text| text.replace("aws4_request", "aws5_request")),
            "InvalidSignatureException",
            "valid terminator",
        ),
        (
            with_authorization(|text| text.replace("/20251230/", "/20251231/")),
            "InvalidSignatureException",
            "'20251231' != '20251230', from '20251230T160220Z'.",
        ),
        (
            with_authorization(|text| text.replace("host;", "")),
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader'",
        ),
    ] {
        let refusal = verify(&request, &secret(), NOW).unwrap_err();
        assert_eq!((refusal.http_status, refusal.code), (400, code), "{}", refusal.message);
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
}
