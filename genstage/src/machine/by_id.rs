use crate::subscription::SubscriptionId;

/// What belongs to subscriptions, in the order of their ids, which is that of their age: a new one mostly comes last. Found by
/// halves; one alone, as most are, is found at once and takes no more room than it needs.
pub(crate) struct ById<T>(Vec<(SubscriptionId, T)>);

impl<T> ById<T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, id: SubscriptionId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(id, _)| *id)
    }

    pub(crate) fn insert(&mut self, id: SubscriptionId, value: T) {
        match self.find(id) {
            Ok(found) => self.0[found].1 = value,
            Err(place) => {
                if self.0.is_empty() {
                    self.0.reserve_exact(1);
                }
                self.0.insert(place, (id, value));
            }
        }
    }

    pub(crate) fn get(&self, id: SubscriptionId) -> Option<&T> {
        let found = self.find(id).ok()?;
        Some(&self.0[found].1)
    }

    pub(crate) fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut T> {
        let found = self.find(id).ok()?;
        Some(&mut self.0[found].1)
    }

    pub(crate) fn remove(&mut self, id: SubscriptionId) -> Option<T> {
        let found = self.find(id).ok()?;
        Some(self.0.remove(found).1)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Takes everything out.
    pub(crate) fn take(&mut self) -> Vec<(SubscriptionId, T)> {
        std::mem::take(&mut self.0)
    }
}
