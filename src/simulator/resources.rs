//! The resources that clients of the simulator have created.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scenario::Failure;
use crate::model::{ErrorCode, Operation};

/// By type and primary identifier. Those of the world's own other clients are not among them: nobody asks for them.
#[derive(Debug, Default)]
pub(super) struct Resources {
    models: BTreeMap<(Arc<str>, Arc<str>), Arc<str>>,
}

impl Resources {
    /// What a request for this operation comes to at the moment when it would succeed.
    pub(super) fn settle(
        &mut self,
        operation: &Operation,
        type_name: &Arc<str>,
        identifier: &Arc<str>,
        model: Option<&Arc<str>>,
    ) -> Result<(), Failure> {
        let key = (Arc::clone(type_name), Arc::clone(identifier));
        match operation {
            Operation::Create if self.models.contains_key(&key) => Err(Failure::new(
                1.0,
                ErrorCode::AlreadyExists,
                format!("Resource of type '{type_name}' with identifier '{identifier}' already exists."),
            )),
            Operation::Create => {
                self.models.insert(key, model.cloned().unwrap_or_else(|| "{}".into()));
                Ok(())
            }
            Operation::Delete if self.models.remove(&key).is_none() => Err(Failure::new(
                1.0,
                ErrorCode::NotFound,
                format!("Resource of type '{type_name}' with identifier '{identifier}' was not found."),
            )),
            Operation::Delete | Operation::Update | Operation::Other(_) => Ok(()),
        }
    }
}
