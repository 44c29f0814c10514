//! The public views: what one row of each is, and what each column says and holds.
//!
//! The one place that says it. `ccwatch sql --schema` prints it, an export takes its types from it, `docs/history.md` and datasette's metadata repeat it word
//! for word, and tests hold all three, and the names here, to the views of the file.

/// A view of the public schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicView {
    pub name: &'static str,
    /// What one row is.
    pub about: &'static str,
    /// In the view's order.
    pub columns: &'static [PublicColumn],
}

/// A column of a view. Times are text, ISO 8601 in UTC with milliseconds; yes and no are 1 and 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicColumn {
    pub name: &'static str,
    pub kind: Kind,
    /// Whether it may be NULL.
    pub is_optional: bool,
    /// What it says, its unit, and when it is NULL.
    pub about: &'static str,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Real,
    Bool,
    Time,
}

const fn text(about: &'static str) -> PublicColumn {
    column(Kind::Text, about)
}

const fn integer(about: &'static str) -> PublicColumn {
    column(Kind::Integer, about)
}

const fn real(about: &'static str) -> PublicColumn {
    column(Kind::Real, about)
}

const fn flag(about: &'static str) -> PublicColumn {
    column(Kind::Bool, about)
}

const fn time(about: &'static str) -> PublicColumn {
    column(Kind::Time, about)
}

const fn maybe(column: PublicColumn) -> PublicColumn {
    PublicColumn {
        is_optional: true,
        ..column
    }
}

/// Its name is the one that it has in the list.
const fn column(kind: Kind, about: &'static str) -> PublicColumn {
    PublicColumn {
        name: "",
        kind,
        is_optional: false,
        about,
    }
}

macro_rules! views {
    ($($view:ident: $about:literal { $($column:ident: $holds:expr,)+ })+) => {
        &[$(PublicView {
            name: stringify!($view),
            about: $about,
            columns: &[$(PublicColumn { name: stringify!($column), ..$holds },)+],
        },)+]
    };
}

/// The views, the most asked ones first.
pub const VIEWS: &[PublicView] = views! {
    v_requests: "A Cloud Control request as it stands." {
        target: text("The configured name and the Region: `prod/eu-west-1`."),
        account_id: maybe(text("The AWS account. NULL until it is known.")),
        region: text("The AWS Region."),
        request_token: text("The service's name for the request, unique to an account and Region."),
        hooks_request_token: maybe(text("The service's name for its hooks. NULL: none guard it, or they were not shown yet.")),
        type_name: maybe(text("The resource's type, such as `AWS::S3::Bucket`. NULL if it was never shown.")),
        identifier: maybe(text("The resource's primary identifier. NULL until the service knows it.")),
        operation: maybe(text("CREATE, UPDATE or DELETE. NULL if it was never shown.")),
        status: maybe(text("PENDING, IN_PROGRESS, SUCCESS, FAILED, CANCEL_IN_PROGRESS or CANCEL_COMPLETE. NULL if none was ever shown.")),
        error_code: maybe(text("Why it failed, in the service's word, such as `Throttling`. NULL unless it failed.")),
        status_message: maybe(text("Why it failed, or how it is doing, in the service's sentence. Often NULL.")),
        started_at: maybe(time("The earliest time that the service gave it. NULL if it gave none.")),
        first_seen_at: time("When ccwatch first saw it."),
        last_seen_at: time("When ccwatch last saw it; for one that has ended, up to two hours before that."),
        finished_at: maybe(time("When it ended, by the service if it said so. NULL while it is open or its end is not known.")),
        duration_s: maybe(real("Seconds from `started_at` to `finished_at`. NULL unless both are known and the second is later: of a request that had ended when it was first seen, one time may be all that is known.")),
        open: flag("1 while it has not ended, as far as is known."),
        hooks_total: integer("How many invocations of hooks were seen on it."),
        hooks_failed: integer("How many of those found fault, in WARN mode or in FAIL mode."),
    }
    v_hooks: "One invocation of a hook on a request, as it stands." {
        target: text("As in `v_requests`."),
        request_token: text("The request that it guards."),
        hook_type_name: maybe(text("The hook, such as `Acme::Tagging::CostCenter`. NULL if it was not shown.")),
        hook_type_version_id: maybe(text("The hook's version. NULL if it was not shown.")),
        hook_type_arn: maybe(text("The hook's ARN. NULL if it was not shown.")),
        invocation_point: maybe(text("When it runs, such as `PRE_PROVISION`. NULL if it was not shown.")),
        failure_mode: maybe(text("FAIL: its failure fails the request; WARN: it only says so. NULL if it was not shown.")),
        status: maybe(text("HOOK_PENDING, HOOK_IN_PROGRESS, HOOK_COMPLETE_SUCCEEDED, HOOK_COMPLETE_FAILED or HOOK_FAILED. NULL if none was shown.")),
        status_message: maybe(text("What it found, in its own words. Often NULL.")),
        event_time: maybe(time("The service's time in its newest event. NULL if it gave none.")),
        first_seen_at: time("When ccwatch first saw it."),
        finished_at: maybe(time("When it ended, by the service if it said so. NULL while it runs.")),
        invocation: integer("Which one of this hook and version at this point on this request, from 1 on, as a rule in the order in which they were seen. A hook can be invoked more than once."),
    }
    v_changes: "A change that was news, in the order in which it was seen: the feed." {
        id: integer("Grows with each change, and is never used again."),
        at: time("When ccwatch saw it."),
        kind: text("request.status, request.detail, request.lost, request.stuck, hook.status or hook.detail."),
        target: text("As in `v_requests`."),
        request_token: text("The request that changed, or whose hook did."),
        type_name: maybe(text("The resource's type, as it is known now. NULL if it was never shown.")),
        identifier: maybe(text("The resource's primary identifier, as it is known now. NULL until the service knows it.")),
        operation: maybe(text("CREATE, UPDATE or DELETE. NULL if it was never shown.")),
        hook_type_name: maybe(text("The hook that changed. NULL if it was the request, or the hook's name was not shown.")),
        from_status: maybe(text("The status before. NULL if there was none.")),
        to_status: maybe(text("The status after. NULL for `request.lost`.")),
        error_code: maybe(text("The service's word for the failure. NULL if there is none.")),
        message: maybe(text("The service's or the hook's sentence. Often NULL.")),
        observed_late: flag("1 if it happened while its target was not looked at, so that `at` says little of when."),
        invocation: maybe(integer("Which one of that hook, as in `v_hooks`. NULL if it was the request.")),
    }
    v_progress_events: "One event of a request, each time it was seen to have moved." {
        id: integer("Grows with each event, and is never used again."),
        target: text("As in `v_requests`."),
        request_token: text("The request."),
        observed_at: time("When ccwatch saw it."),
        event_time: maybe(time("The service's time. NULL if it gave none.")),
        status: maybe(text("The status in this event. NULL if it had none.")),
        error_code: maybe(text("The error code in this event. NULL if it had none.")),
        status_message: maybe(text("The message in this event. NULL if it had none.")),
        identifier: maybe(text("The identifier in this event. NULL if it had none.")),
        retry_after: maybe(time("When the service asked to be asked again. NULL if it did not.")),
        source: text("list or get: which call showed it."),
    }
    v_hook_events: "One event of a hook's invocation, each time it was seen to have moved." {
        id: integer("Grows with each event, and is never used again."),
        target: text("As in `v_requests`."),
        request_token: text("The request that the hook guards."),
        hook_type_name: maybe(text("The hook. NULL if it was not shown.")),
        hook_type_arn: maybe(text("The hook's ARN. NULL if it was not shown.")),
        invocation_point: maybe(text("When it runs, such as `PRE_PROVISION`. NULL if it was not shown.")),
        observed_at: time("When ccwatch saw it."),
        event_time: maybe(time("The service's time. NULL if it gave none.")),
        status: maybe(text("The hook's status in this event. NULL if it had none.")),
        status_message: maybe(text("The hook's words in this event. NULL if it had none.")),
        failure_mode: maybe(text("FAIL or WARN. NULL if it was not shown.")),
        hook_type_version_id: maybe(text("The hook's version. NULL if it was not shown.")),
        invocation: integer("Which one, as in `v_hooks`."),
    }
    v_deliveries: "One change, or one notice, for one receiver." {
        id: integer("Grows with each delivery, and is never used again."),
        change_id: maybe(integer("What it tells: `v_changes.id`. NULL if it tells a notice.")),
        receiver: text("The receiver's name in the configuration."),
        state: text("pending, sent, dead (given up, or refused for good) or skipped (by a silence, say)."),
        attempts: integer("How often it was tried."),
        next_attempt_at: maybe(time("When it is tried next. NULL if it is done with, or waits for an earlier one.")),
        sent_at: maybe(time("When the receiver accepted it. NULL if it did not.")),
        last_error: maybe(text("Why the last attempt failed, or why it was skipped. NULL if neither.")),
        notice_id: maybe(integer("What it tells: `v_notices.id`. NULL if it tells a change.")),
        incident_id: maybe(integer("The incident that it opens or resolves: `v_incidents.id`. NULL if it does neither.")),
        replayed: flag("1 if it tells again what was told before, because someone asked for that."),
    }
    v_attempts: "One attempt to send a delivery." {
        id: integer("Grows with each attempt, and is never used again."),
        delivery_id: integer("What was tried: `v_deliveries.id`."),
        receiver: text("The receiver's name in the configuration."),
        number: integer("1 for the first attempt at this delivery."),
        at: time("When it began."),
        took_ms: integer("How long it took, in milliseconds."),
        outcome: text("sent, retry (it failed and will be tried again) or dead."),
        answer_status: maybe(integer("The status of HTTP or SMTP, or a program's exit code. NULL if there was no answer.")),
        answer: maybe(text("The beginning of the answer. NULL if there was none, or another delivery of its digest has it.")),
        error: maybe(text("Why it failed. NULL if it did not.")),
        told_with: integer("The first delivery of the digest that carried it; `delivery_id` itself where it was sent alone."),
    }
    v_gaps: "A time in which a target was not, or could not be, looked at." {
        target: text("As in `v_requests`."),
        from_at: time("When it began."),
        to_at: maybe(time("When it ended. NULL while it lasts.")),
        reason: text("Why, in a sentence."),
    }
    v_incidents: "What went wrong, for a receiver that keeps incidents, until it is mended." {
        id: integer("Grows with each incident, and is never used again."),
        receiver: text("The receiver's name in the configuration."),
        target: text("As in `v_requests`."),
        request_token: maybe(text("The last request that opened it. NULL once that is pruned.")),
        type_name: maybe(text("The resource's type. NULL if it was not known.")),
        identifier: maybe(text("The resource's primary identifier. NULL if it was not known.")),
        opened_at: time("When it was opened."),
        resolved_at: maybe(time("When it was resolved. NULL while it is open.")),
    }
    v_notices: "What was told of a receiver through another one: that it fails, or is well again." {
        id: integer("Grows with each notice, and is never used again."),
        at: time("When it was told."),
        receiver: text("The receiver that it is about."),
        since: time("Since when that had failed."),
        failing: flag("1 if it failed, 0 if it was well again."),
        waiting: integer("How many deliveries waited for it."),
        error: maybe(text("Why it failed. NULL if it was well again.")),
    }
    v_silences: "A time in which someone asked that something be not told." {
        id: integer("Grows with each silence, and is never used again."),
        matchers: text("What is not told, one matcher a line, as on the command line."),
        starts_at: time("From when."),
        ends_at: time("Until when."),
        created_at: time("When it was asked for."),
        created_by: text("By whom."),
        reason: text("Why, in their words."),
    }
    v_resource_models: "The last ResourceModel of a request, as far as `resource_model` lets it be kept." {
        target: text("As in `v_requests`."),
        request_token: text("The request."),
        resource_model: text("JSON. Masked, unless the configuration says `keep`."),
    }
};
