//! What lies in each inbox: the window's book-keeping, pure.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::dispatch::Rank;
use domain::ids::{AccountId, AgencyId, DispatchId};

/// Who waits for room in a window is told when so large a part of it is free: looking for what is due costs the same for
/// one place as for many.
const WOKEN_FROM: usize = 8;

/// All inboxes, as far as something lies in them or waits for room.
#[derive(Debug)]
pub(super) struct Lanes {
    window: usize,
    window_urgent: usize,
    lanes: HashMap<AccountId, Lane>,
    places: HashMap<DispatchId, AccountId>,
    /// Those of which an attempt runs.
    running: HashSet<DispatchId>,
    /// Inboxes that took nothing more, and how many dispatches are tried at a time: one at first, twice as many after each
    /// that is taken.
    full: HashMap<AccountId, usize>,
}

#[derive(Debug, Default)]
struct Lane {
    taken: usize,
    /// Of these, those of which an attempt runs.
    running: usize,
    waiting: BTreeSet<AgencyId>,
}

impl Lanes {
    /// No inbox holds anything. `window_urgent` places beside the window are for urgent dispatches only.
    pub(super) fn new(window: usize, window_urgent: usize) -> Lanes {
        Lanes {
            window,
            window_urgent,
            lanes: HashMap::new(),
            places: HashMap::new(),
            running: HashSet::new(),
            full: HashMap::new(),
        }
    }

    /// The dispatch takes a place in this inbox; once, however often it is said.
    pub(super) fn board(&mut self, account: &AccountId, id: DispatchId) {
        if self.places.insert(id, account.clone()).is_none() {
            self.lanes.entry(account.clone()).or_default().taken += 1;
        }
    }

    /// An attempt begins: the dispatch takes a place until it leaves.
    pub(super) fn begin(&mut self, account: &AccountId, id: DispatchId) {
        self.board(account, id);
        if self.running.insert(id) {
            self.lane_of(id).running += 1;
        }
    }

    /// The attempt is over; the place stays taken until the dispatch leaves.
    pub(super) fn end(&mut self, id: DispatchId) {
        if self.running.remove(&id) {
            self.lane_of(id).running -= 1;
        }
    }

    fn lane_of(&mut self, id: DispatchId) -> &mut Lane {
        let account = &self.places[&id];
        self.lanes.get_mut(account).expect("a place belongs to a lane")
    }

    /// The dispatch gives its place back. Gives the addressees that waited, if there is room enough for them: some part of
    /// the window, or a place of those for urgent dispatches, of which one may be waiting.
    #[must_use = "who waited is to be woken"]
    pub(super) fn leave(&mut self, id: DispatchId) -> BTreeSet<AgencyId> {
        let Some(account) = self.places.remove(&id) else {
            return BTreeSet::new();
        };
        let lane = self.lanes.get_mut(&account).expect("a place belongs to a lane");
        lane.taken -= 1;
        // It may be settled before its attempt has heard of it.
        if self.running.remove(&id) {
            lane.running -= 1;
        }
        let is_urgent_place = self.window <= lane.taken;
        let is_worth_it = lane.taken + (self.window / WOKEN_FROM).max(1) <= self.window;
        if !is_urgent_place && !is_worth_it && !self.full.contains_key(&account) {
            return BTreeSet::new();
        }
        let freed = std::mem::take(&mut lane.waiting);
        if lane.taken == 0 {
            self.lanes.remove(&account);
        }
        freed
    }

    /// This addressee wants to be told when a place is free.
    pub(super) fn wait(&mut self, account: &AccountId, agency: AgencyId) {
        self.lanes
            .entry(account.clone())
            .or_default()
            .waiting
            .insert(agency);
    }

    /// Where the dispatch lies.
    pub(super) fn account_of(&self, id: DispatchId) -> Option<&AccountId> {
        self.places.get(&id)
    }

    /// Whether an attempt of it runs.
    pub(super) fn is_running(&self, id: DispatchId) -> bool {
        self.running.contains(&id)
    }

    /// Attempts that run into this inbox: they are due still.
    pub(super) fn running(&self, account: &AccountId) -> usize {
        self.lanes.get(account).map_or(0, |lane| lane.running)
    }

    fn taken(&self, account: &AccountId) -> usize {
        self.lanes.get(account).map_or(0, |lane| lane.taken)
    }

    /// How many may be tried at once.
    fn most(&self, account: &AccountId) -> usize {
        self.full.get(account).copied().unwrap_or(usize::MAX)
    }

    /// How many more may be put into this inbox now, urgent ones included.
    pub(super) fn room(&self, account: &AccountId) -> usize {
        let free = (self.window + self.window_urgent).saturating_sub(self.taken(account));
        free.min(self.most(account).saturating_sub(self.running(account)))
    }

    /// Whether a dispatch of this rank may be put into this inbox now.
    pub(super) fn has_room(&self, account: &AccountId, rank: Rank) -> bool {
        let places = match rank {
            Rank::Urgent => self.window + self.window_urgent,
            Rank::Normal => self.window,
        };
        self.taken(account) < places && self.running(account) < self.most(account)
    }

    /// The inbox took nothing more: one at a time is tried from here on. Says whether that is new.
    pub(super) fn found_full(&mut self, account: &AccountId) -> bool {
        self.full.insert(account.clone(), 1) != Some(1)
    }

    /// The inbox took one: of a full one twice as many are tried at a time, until nothing holds them back, which is said.
    /// Gives the addressees that waited for that.
    pub(super) fn took(&mut self, account: &AccountId) -> (bool, BTreeSet<AgencyId>) {
        let Some(most) = self.full.get_mut(account) else {
            return (false, BTreeSet::new());
        };
        *most *= 2;
        let is_free = self.window <= *most;
        if is_free {
            self.full.remove(account);
        }
        let lane = self.lanes.get_mut(account);
        let woken = lane.map(|lane| std::mem::take(&mut lane.waiting));
        (is_free, woken.unwrap_or_default())
    }

    /// One was not put into a full inbox for reasons of its own: it keeps nobody behind it from being tried.
    pub(super) fn look_past(&mut self, account: &AccountId) {
        if let Some(most) = self.full.get_mut(account) {
            *most += 1;
        }
    }

    /// Nothing lies anywhere; only those of which an attempt runs keep their places.
    pub(super) fn empty_all(&mut self) {
        let lying = self.places.keys().filter(|id| !self.running.contains(id));
        for id in lying.copied().collect::<Vec<_>>() {
            // Everybody is woken after this.
            let _ = self.leave(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trust::{Digest, Time};

    fn id(number: u8) -> DispatchId {
        DispatchId::derive(
            Time::from_micros(0),
            &Digest::of(&[number]),
            AgencyId::from_number(1),
            b'p',
        )
    }

    #[test]
    fn a_window_is_full_for_normal_before_urgent_ones() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let mut lanes = Lanes::new(2, 1);
        lanes.board(&account, id(1));
        lanes.board(&account, id(1));
        assert!(
            lanes.has_room(&account, Rank::Normal),
            "boarding twice takes one place"
        );
        lanes.board(&account, id(2));
        assert!(!lanes.has_room(&account, Rank::Normal));
        assert!(lanes.has_room(&account, Rank::Urgent));
        lanes.board(&account, id(3));
        assert!(!lanes.has_room(&account, Rank::Urgent));
        assert_eq!(lanes.room(&account), 0);
    }

    #[test]
    fn what_is_under_way_keeps_its_place_when_all_is_lost() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let mut lanes = Lanes::new(2, 0);
        lanes.board(&account, id(1));
        lanes.begin(&account, id(2));
        lanes.empty_all();
        assert_eq!(lanes.account_of(id(1)), None);
        assert_eq!(lanes.account_of(id(2)), Some(&account));
        assert_eq!(lanes.running(&account), 1);
        lanes.end(id(2));
        assert_eq!(lanes.running(&account), 0);
        lanes.empty_all();
        assert_eq!(lanes.room(&account), 2);
    }

    #[test]
    fn what_is_settled_while_it_is_under_way_gives_its_place_back_once() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let mut lanes = Lanes::new(2, 0);
        lanes.begin(&account, id(1));
        lanes.begin(&account, id(2));
        drop(lanes.leave(id(1)));
        lanes.end(id(1));
        assert_eq!((lanes.running(&account), lanes.room(&account)), (1, 1));
        lanes.end(id(2));
        drop(lanes.leave(id(2)));
        lanes.end(id(2));
        assert_eq!((lanes.running(&account), lanes.room(&account)), (0, 2));
    }

    #[test]
    fn who_waits_is_told_when_a_place_is_free() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let agency = AgencyId::from_number(7);
        let mut lanes = Lanes::new(1, 0);
        lanes.board(&account, id(1));
        lanes.wait(&account, agency);
        assert_eq!(lanes.leave(id(1)), BTreeSet::from([agency]));
        assert_eq!(lanes.leave(id(1)), BTreeSet::new(), "a place is given back once");
        assert_eq!(lanes.room(&account), 1);
    }

    #[test]
    fn who_waits_for_a_large_window_is_told_when_a_part_of_it_is_free() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let agency = AgencyId::from_number(7);
        let (woken, nobody) = (BTreeSet::from([agency]), BTreeSet::new());
        let mut lanes = Lanes::new(16, 2);
        for number in 0..18 {
            lanes.board(&account, id(number));
        }
        lanes.wait(&account, agency);
        assert_eq!(lanes.leave(id(17)), woken, "an urgent one may wait");
        lanes.wait(&account, agency);
        assert_eq!(lanes.leave(id(16)), woken, "still");
        lanes.wait(&account, agency);
        assert_eq!(lanes.leave(id(15)), nobody, "one place of sixteen");
        assert_eq!(lanes.leave(id(14)), woken, "two of them");
        assert_eq!(lanes.leave(id(13)), nobody, "it is told once");
    }

    #[test]
    fn a_full_inbox_is_tried_with_one_then_with_twice_as_many() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let agency = AgencyId::from_number(7);
        let mut lanes = Lanes::new(4, 1);
        assert!(lanes.found_full(&account));
        assert!(!lanes.found_full(&account), "it is told once");
        assert_eq!(lanes.room(&account), 1);
        lanes.begin(&account, id(1));
        assert_eq!(lanes.room(&account), 0);
        assert!(!lanes.has_room(&account, Rank::Urgent));
        lanes.wait(&account, agency);

        lanes.end(id(1));
        assert_eq!(lanes.took(&account), (false, BTreeSet::from([agency])));
        assert_eq!(lanes.room(&account), 2, "of five places one is taken");
        lanes.begin(&account, id(2));
        lanes.end(id(2));
        assert!(lanes.took(&account).0, "the window holds no more than this");
        assert_eq!(lanes.room(&account), 3);
        assert!(!lanes.took(&account).0, "it is told once");
    }

    #[test]
    fn a_full_inbox_that_is_empty_stays_full_until_it_takes_one() {
        let account = AccountId::parse("a1-1").expect("an account id");
        let mut lanes = Lanes::new(4, 1);
        lanes.begin(&account, id(1));
        lanes.found_full(&account);
        drop(lanes.leave(id(1)));
        assert_eq!(lanes.room(&account), 1);
        lanes.look_past(&account);
        assert_eq!(
            lanes.room(&account),
            2,
            "one that was not tried holds nobody back"
        );
    }
}
