//! The resources that exist, and which of them an operation is at work on.
//!
//! A resource exists once a request to create it has succeeded, and until one to delete it has. Those that the world's
//! own other clients create exist too, so that ListResources shows what ListResourceRequests tells of; of theirs, the
//! latest [`OTHERS_LIMIT`] alone, or a world that runs for weeks would grow for weeks.
//!
//! Two ways in: by type and primary identifier, and by type in order of creation, which is what a page of
//! ListResources goes on from. A number is never given twice, so a page neither repeats nor hides what others come or
//! go around it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::listing::Position;
use super::scenario::Failure;
use crate::model::{ErrorCode, Operation};

/// How many resources of the world's own other clients exist at a time.
const OTHERS_LIMIT: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Resources {
    types: HashMap<Arc<str>, OfType>,
    next: Position,
    /// Those of the world's own other clients, oldest first. Clients may have deleted some of them.
    others: VecDeque<(Arc<str>, Position)>,
    /// The open request that works on each resource.
    at_work: HashMap<(Arc<str>, Arc<str>), u64>,
}

/// The resources of one type.
#[derive(Debug, Default)]
struct OfType {
    numbers: HashMap<Arc<str>, Position>,
    by_number: BTreeMap<Position, Resource>,
}

/// A resource as it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    pub(super) identifier: Arc<str>,
    /// A JSON object: its properties.
    pub(super) model: Arc<str>,
}

/// What a request does to a resource at the moment when it succeeds.
#[derive(Debug)]
pub(super) struct Effect<'a> {
    pub(super) operation: &'a Operation,
    pub(super) type_name: &'a Arc<str>,
    pub(super) identifier: &'a Arc<str>,
    pub(super) model: Option<&'a Arc<str>>,
    /// Whether a client of the simulator asked for it. What the world's own other clients ask for never fails here:
    /// their course was drawn already.
    pub(super) by_client: bool,
}

impl Resources {
    pub(super) fn get(&self, type_name: &str, identifier: &str) -> Option<&Resource> {
        let of_type = self.types.get(type_name)?;
        of_type.by_number.get(of_type.numbers.get(identifier)?)
    }

    /// Those of a type, oldest first, from behind the cursor on.
    pub(super) fn after(
        &self,
        type_name: &str,
        cursor: Option<Position>,
    ) -> impl Iterator<Item = (Position, &Resource)> {
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        self.types
            .get(type_name)
            .into_iter()
            .flat_map(move |of_type| of_type.by_number.range((from, Bound::Unbounded)))
            .map(|(number, resource)| (*number, resource))
    }

    /// Lets a request come to what it asks for, or says why that can't be.
    pub(super) fn settle(&mut self, effect: &Effect<'_>) -> Result<(), Failure> {
        let Effect {
            type_name, identifier, ..
        } = effect;
        let exists = self.get(type_name, identifier).is_some();
        match (effect.operation, exists) {
            (Operation::Create, true) if effect.by_client => Err(already_exists(type_name, identifier)),
            (Operation::Update | Operation::Delete, false) if effect.by_client => Err(not_found(type_name, identifier)),
            (Operation::Create, false) => {
                self.insert(effect);
                Ok(())
            }
            (Operation::Update, true) => {
                self.replace(effect);
                Ok(())
            }
            (Operation::Delete, true) => {
                self.remove(type_name, identifier);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The open request that works on this resource.
    pub(super) fn at_work_on(&self, type_name: &Arc<str>, identifier: &Arc<str>) -> Option<u64> {
        let key = (Arc::clone(type_name), Arc::clone(identifier));
        self.at_work.get(&key).copied()
    }

    pub(super) fn begin_work(&mut self, type_name: &Arc<str>, identifier: &Arc<str>, sequence: u64) {
        self.at_work
            .insert((Arc::clone(type_name), Arc::clone(identifier)), sequence);
    }

    /// Another request that works on the resource by now goes on.
    pub(super) fn end_work(&mut self, type_name: &Arc<str>, identifier: &Arc<str>, sequence: u64) {
        if let Entry::Occupied(at_work) = self.at_work.entry((Arc::clone(type_name), Arc::clone(identifier)))
            && *at_work.get() == sequence
        {
            at_work.remove();
        }
    }

    fn insert(&mut self, effect: &Effect<'_>) {
        let number = self.next;
        self.next += 1;
        let of_type = self.types.entry(Arc::clone(effect.type_name)).or_default();
        of_type.numbers.insert(Arc::clone(effect.identifier), number);
        let model = effect.model.map_or_else(|| "{}".into(), Arc::clone);
        let identifier = Arc::clone(effect.identifier);
        of_type.by_number.insert(number, Resource { identifier, model });
        if !effect.by_client {
            self.others.push_back((Arc::clone(effect.type_name), number));
            self.forget_oldest_of_others();
        }
    }

    fn replace(&mut self, effect: &Effect<'_>) {
        let Some(of_type) = self.types.get_mut(effect.type_name) else {
            return;
        };
        let number = of_type.numbers.get(effect.identifier);
        let resource = number.and_then(|number| of_type.by_number.get_mut(number));
        if let (Some(resource), Some(model)) = (resource, effect.model) {
            resource.model = Arc::clone(model);
        }
    }

    fn remove(&mut self, type_name: &str, identifier: &str) {
        if let Some(of_type) = self.types.get_mut(type_name)
            && let Some(number) = of_type.numbers.remove(identifier)
        {
            of_type.by_number.remove(&number);
        }
    }

    fn forget_oldest_of_others(&mut self) {
        while self.others.len() > OTHERS_LIMIT {
            let Some((type_name, number)) = self.others.pop_front() else {
                return;
            };
            if let Some(of_type) = self.types.get_mut(&type_name)
                && let Some(resource) = of_type.by_number.remove(&number)
            {
                of_type.numbers.remove(&resource.identifier);
            }
        }
    }
}

/// What the handler says when a resource is not there.
pub(super) fn not_found_message(type_name: &str, identifier: &str) -> String {
    format!("Resource of type '{type_name}' with identifier '{identifier}' was not found.")
}

fn not_found(type_name: &str, identifier: &str) -> Failure {
    Failure::new(1.0, ErrorCode::NotFound, not_found_message(type_name, identifier))
}

fn already_exists(type_name: &str, identifier: &str) -> Failure {
    Failure::new(
        1.0,
        ErrorCode::AlreadyExists,
        format!("Resource of type '{type_name}' with identifier '{identifier}' already exists."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect<'a>(
        operation: &'a Operation,
        type_name: &'a Arc<str>,
        identifier: &'a Arc<str>,
        by_client: bool,
    ) -> Effect<'a> {
        Effect {
            operation,
            type_name,
            identifier,
            model: None,
            by_client,
        }
    }

    #[test]
    fn of_the_others_the_latest_exist_and_of_the_clients_all() {
        let mut resources = Resources::default();
        let bucket: Arc<str> = "AWS::S3::Bucket".into();
        let mine: Arc<str> = "mine".into();
        resources
            .settle(&effect(&Operation::Create, &bucket, &mine, true))
            .unwrap();
        for nth in 0..OTHERS_LIMIT + 10 {
            let identifier: Arc<str> = format!("theirs-{nth}").into();
            resources
                .settle(&effect(&Operation::Create, &bucket, &identifier, false))
                .unwrap();
        }
        assert_eq!(resources.after(&bucket, None).count(), OTHERS_LIMIT + 1);
        assert!(resources.get(&bucket, "mine").is_some());
        assert!(resources.get(&bucket, "theirs-9").is_none());
        assert!(resources.get(&bucket, "theirs-10").is_some());
        assert_eq!(resources.types[&bucket].numbers.len(), OTHERS_LIMIT + 1);
    }

    #[test]
    fn what_others_ask_for_is_never_in_the_way_of_itself() {
        let mut resources = Resources::default();
        let (bucket, name): (Arc<str>, Arc<str>) = ("AWS::S3::Bucket".into(), "a".into());
        for operation in [
            Operation::Delete,
            Operation::Update,
            Operation::Create,
            Operation::Create,
        ] {
            resources.settle(&effect(&operation, &bucket, &name, false)).unwrap();
        }
        assert_eq!(resources.after(&bucket, None).count(), 1);
    }
}
