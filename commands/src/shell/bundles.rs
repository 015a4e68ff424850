//! Rows for the bundles that are installed.

use super::Verb;
use super::admin::{admin, look};
use crate::command::Command;
use crate::family::family;
use crate::spec::Flow;

pub(super) fn bundles() -> Vec<Command> {
    let right = "bundle:manage";
    family(
        "bundle",
        [
            admin(
                "install FOLDER",
                "Copies a bundle in from a folder; nothing changes until it is enabled",
                Verb::BundleInstall,
                right,
            )
            .shows("bundle install ./bundles/aws", ""),
            admin("enable NAME [VERSION]", "Makes the commands of a bundle available", Verb::BundleEnable, right)
                .shows("bundle enable aws", ""),
            admin("disable NAME", "Takes the commands of a bundle away", Verb::BundleDisable, right)
                .shows("bundle disable aws", ""),
            admin("remove NAME [VERSION]", "Removes a bundle that is not enabled", Verb::BundleRemove, right)
                .shows("bundle remove aws 1.0.0", ""),
            look("list", "The bundles that are installed", Verb::BundleList, right),
            admin(
                "set NAME KEY [VALUE] [--room=ROOM] [--user=USER]",
                "Sets what a bundle's programs get in their environment, for all, a room or a user",
                Verb::BundleSet,
                right,
            )
            .flow(Flow::Stream)
            .shows("bundle set aws AWS_REGION eu-west-1", "where a secret is wanted, it comes by standard input"),
            admin(
                "unset NAME KEY [--room=ROOM] [--user=USER]",
                "Takes a setting of a bundle back",
                Verb::BundleUnset,
                right,
            )
            .shows("bundle unset aws AWS_REGION --room=#ops", ""),
            look("settings NAME", "What is set for a bundle; secrets are not shown", Verb::BundleSettings, right)
                .shows("bundle settings aws", ""),
            look("show NAME", "What a bundle brings: commands, rules, permissions, needs", Verb::BundleShow, right)
                .shows("bundle show aws", ""),
        ],
    )
}
