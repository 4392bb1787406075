//! OrgBridge with nothing but a configuration and one tenant file, against a simulated WeCom or DingTalk and simulated OAs: all in one
//! process, and each service in processes of its own over RabbitMQ and PostgreSQL.

/// Makes two tests of each scenario, one for each deployment, which is the scenario's first argument.
#[cfg(test)]
macro_rules! in_each_deployment {
    ($($name:ident: $scenario:ident($($argument:expr),*);)+) => {
        mod in_one_process {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $scenario(tests::Deployment::AllInOne, $($argument),*).await;
                }
            )+
        }
        mod as_services {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $scenario(tests::Deployment::services(), $($argument),*).await;
                }
            )+
        }
    };
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod crash_points;
#[cfg(test)]
mod dingtalk;
#[cfg(test)]
mod hires;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod load;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod sync;
#[cfg(test)]
mod workers;
