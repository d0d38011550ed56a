//! Who carries out what a command asks: the running gateway over its internal port, or this process itself when no
//! gateway has the data.
//!
//! **Invariant:** never both: whoever holds the lock of the data folder decides.

use std::sync::Arc;
use std::time::Duration;

use domain::ids::CaseId;
use domain::port::CaseState;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::CommandFault;
use crate::administration::{
    Addition, Administration, Mode, NotProvisioned, Order, Provision, Told, TrustDesk,
};
use crate::app::{self, AccountFiles, BrokerProvision, Epochs};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::Place;
use crate::http::view::{
    AddedView, AgencyView, CaseView, HealthView, ListView, MaterialView, ParkedView, ProblemView,
    ProvisionedView, ReportView, StandingView, TrustView,
};
use crate::store::{self, Store};
use crate::trustkeeper::{self, TrustKeeper};

/// How long a gateway may take to say that it lives.
const HEALTH_WAIT: Duration = Duration::from_secs(3);
/// How long a request may take; a refresh asks many addresses, an import makes many changes.
const REQUEST_WAIT: Duration = Duration::from_secs(300);

/// Who carries it out.
pub(super) enum Desk {
    /// The running gateway.
    Running(Running),
    /// This process, which holds the data folder meanwhile.
    Direct(Box<Direct>),
}

/// The internal port of a running gateway.
pub(super) struct Running {
    client: Client,
    place: Place,
}

/// The store, opened here.
pub(super) struct Direct {
    pub(super) administration: Administration,
    pub(super) store: Store,
    config: Config,
    pub(super) clock: Clock,
}

impl Desk {
    /// Finds the running gateway, or opens the store.
    pub(super) async fn open(config: &Config) -> Result<Desk, CommandFault> {
        if let Some(running) = Running::find(config).await? {
            return Ok(Desk::Running(running));
        }
        let clock = Clock::start(config.gateway.clock_jump_max);
        let store = match app::open_store(app::store_config(config), &clock).await {
            Ok(store) => store,
            Err(store::Fault::Locked { directory }) => return Err(CommandFault::Busy(directory)),
            Err(fault) => return Err(CommandFault::Store(fault)),
        };
        let administration = Administration::new(Arc::new(store.clone()), provision(config)?, clock.clone())
            .of_gateway(config.gateway.code.clone());
        Ok(Desk::Direct(Box::new(Direct {
            administration,
            store,
            config: config.clone(),
            clock,
        })))
    }

    pub(super) async fn order(&self, order: &Order, mode: Mode) -> Result<ReportView, CommandFault> {
        match self {
            Desk::Running(running) => {
                let query = if mode == Mode::DryRun { "?dry_run=true" } else { "" };
                running.post(&format!("orders{query}"), order).await
            }
            Desk::Direct(direct) => Ok(ReportView::of(
                &direct.administration.carry_out(order, mode).await?,
            )),
        }
    }

    pub(super) async fn agencies(&self) -> Result<Vec<AgencyView>, CommandFault> {
        match self {
            Desk::Running(running) => running.get("agencies").await,
            Desk::Direct(direct) => Ok(direct
                .administration
                .directory()
                .agencies()
                .map(AgencyView::of)
                .collect()),
        }
    }

    pub(super) async fn case(&self, case: CaseId) -> Result<CaseView, CommandFault> {
        match self {
            Desk::Running(running) => running.get(&format!("cases/{case}")).await,
            Desk::Direct(direct) => {
                let events = direct.administration.case(case)?;
                if events.is_empty() {
                    Err(CommandFault::CaseUnknown(case))
                } else {
                    Ok(CaseView::of(case, &events))
                }
            }
        }
    }

    pub(super) async fn parked(&self) -> Result<Vec<ParkedView>, CommandFault> {
        match self {
            Desk::Running(running) => running.get("parked").await,
            Desk::Direct(direct) => Ok(ParkedView::all(&direct.administration.parked()?)),
        }
    }

    /// Only a running gateway judges.
    pub(super) async fn parked_release(&self, case: CaseId) -> Result<StandingView, CommandFault> {
        match self {
            Desk::Running(running) => running.post(&format!("parked/{case}/release"), &()).await,
            Desk::Direct(_) => Err(CommandFault::NoGateway),
        }
    }

    pub(super) async fn parked_refuse(&self, case: CaseId) -> Result<StandingView, CommandFault> {
        match self {
            Desk::Running(running) => running.post(&format!("parked/{case}/refuse"), &()).await,
            Desk::Direct(direct) => {
                direct.administration.refuse_parked(case).await?;
                Ok(StandingView::of(case, CaseState::Refused))
            }
        }
    }

    pub(super) async fn provision_again(&self) -> Result<Vec<ProvisionedView>, CommandFault> {
        match self {
            Desk::Running(running) => running.post("provisioning", &()).await,
            Desk::Direct(direct) => Ok(ProvisionedView::all(
                &direct.administration.provision_again().await?,
            )),
        }
    }

    pub(super) async fn trust_status(&self) -> Result<TrustView, CommandFault> {
        match self {
            Desk::Running(running) => running.get("trust").await,
            Desk::Direct(direct) => Ok(TrustView::of(&direct.keeper()?.status())),
        }
    }

    pub(super) async fn trust_refresh(&self) -> Result<TrustView, CommandFault> {
        match self {
            Desk::Running(running) => running.post("trust/refresh", &()).await,
            Desk::Direct(direct) => {
                let keeper = direct.keeper()?;
                let status = while_kept(&keeper, keeper.refresh()).await;
                Ok(TrustView::of(&status))
            }
        }
    }

    pub(super) async fn trust_import(&self, list: Vec<u8>) -> Result<ListView, CommandFault> {
        match self {
            Desk::Running(running) => running.post_bytes("trust/lists", list).await,
            Desk::Direct(direct) => {
                let keeper = direct.keeper()?;
                let line = while_kept(&keeper, keeper.import(list)).await;
                let line = line.map_err(|fault| CommandFault::Told(Told::from(&fault)))?;
                Ok(ListView::of(&line))
            }
        }
    }

    pub(super) async fn trust_material(&self) -> Result<MaterialView, CommandFault> {
        match self {
            Desk::Running(running) => running.get("trust/material").await,
            Desk::Direct(direct) => Ok(MaterialView::of(&direct.keeper()?.status())),
        }
    }

    pub(super) async fn trust_add(&self, addition: Addition) -> Result<AddedView, CommandFault> {
        match self {
            Desk::Running(running) => {
                let anchor = addition
                    .anchor
                    .map(|fingerprint| format!("?anchor={fingerprint}"));
                let path = format!("trust/certificates{}", anchor.unwrap_or_default());
                running.post_bytes(&path, addition.file).await
            }
            Desk::Direct(direct) => {
                // Without a keeper: the first anchor is added where there is none, and a gateway reads the folders when it
                // starts.
                let added = trustkeeper::add(&direct.config.trust, &addition, direct.clock.now());
                let added = added.map_err(|fault| CommandFault::Told(Told::from(&fault)))?;
                Ok(AddedView::of(&added))
            }
        }
    }

    pub(super) async fn clock_accept(&self) -> Result<(), CommandFault> {
        match self {
            Desk::Running(running) => running
                .send(Method::POST, "clock/accept", |request| request)
                .await
                .map(drop),
            Desk::Direct(_) => Err(CommandFault::NoGateway),
        }
    }
}

impl Direct {
    fn keeper(&self) -> Result<TrustKeeper, CommandFault> {
        Ok(TrustKeeper::start(
            &self.config.trust,
            &self.config.gateway.data_dir,
            self.clock.clone(),
        )?)
    }
}

/// Lets the keeper work until it has answered.
async fn while_kept<T>(keeper: &TrustKeeper, answer: impl Future<Output = T>) -> T {
    tokio::select! {
        () = keeper.run() => unreachable!("the keeper runs as long as there is a handle on it"),
        answer = answer => answer,
    }
}

/// The way to the broker's accounts, if the configuration names a credential.
fn provision(config: &Config) -> Result<Arc<dyn Provision>, CommandFault> {
    let data_dir = &config.gateway.data_dir;
    let files = AccountFiles::open(data_dir).map_err(CommandFault::Accounts)?;
    Ok(match app::provisioner(config)? {
        Some(provisioner) => {
            let epochs = Arc::new(Epochs::open(data_dir)?);
            Arc::new(BrokerProvision::new(provisioner, files, epochs))
        }
        None => Arc::new(NotProvisioned),
    })
}

impl Running {
    /// The gateway of this data folder, if one answers.
    async fn find(config: &Config) -> Result<Option<Running>, CommandFault> {
        let Some(place) = Place::find(&config.gateway.data_dir)? else {
            return Ok(None);
        };
        let client = Client::builder()
            .no_proxy()
            .timeout(REQUEST_WAIT)
            .build()
            .map_err(CommandFault::Exchange)?;
        let asked = client
            .get(format!("http://{}/health", place.address))
            .timeout(HEALTH_WAIT)
            .send()
            .await;
        let Ok(answer) = asked else { return Ok(None) };
        let lives = answer.json::<HealthView>().await.is_ok();
        Ok(lives.then_some(Running { client, place }))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CommandFault> {
        read(self.send(Method::GET, path, |request| request).await?).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, CommandFault> {
        read(
            self.send(Method::POST, path, |request| request.json(body))
                .await?,
        )
        .await
    }

    async fn post_bytes<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>) -> Result<T, CommandFault> {
        read(
            self.send(Method::POST, path, |request| request.body(body))
                .await?,
        )
        .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Result<Response, CommandFault> {
        let url = format!("http://{}/administration/{path}", self.place.address);
        let request = self
            .client
            .request(method, url)
            .bearer_auth(self.place.token.expose());
        let answer = with(request).send().await.map_err(CommandFault::Exchange)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status: StatusCode = answer.status();
        Err(match answer.json::<ProblemView>().await {
            Ok(ProblemView { told: Some(told), .. }) => CommandFault::Told(told),
            // A gateway of another version may have no words that this one knows.
            Ok(problem) => CommandFault::Problem(problem.detail),
            Err(_) => CommandFault::Answered(status),
        })
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, CommandFault> {
    answer.json().await.map_err(CommandFault::Exchange)
}
