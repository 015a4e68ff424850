//! Rows for the bundles that are installed.

use super::Verb;
use super::admin::{admin, look};
use crate::Kind;
use crate::command::Command;
use crate::family::family;
use crate::spec::Flow;

pub(super) fn bundles() -> Vec<Command> {
    let right = "bundle:manage";
    family(
        "bundle",
        [
            admin(
                "install SOURCE [--ref=REF] [--digest=DIGEST] [--unsigned=REASON]",
                "Brings a bundle in: from a folder, an archive, an address of the web, a git repository with --ref, or by its name \
                 in the index; nothing changes until it is enabled",
                Verb::BundleInstall,
                right,
            )
            .shows("bundle install ./bundles/aws", "from a folder")
            .shows("bundle install https://example.com/aws-1.2.0.tar.gz", "from the web")
            .shows("bundle install https://example.com/aws.git --ref=v1.2.0", "a tag of a repository"),
            look("find [WORD]", "What the site's index offers", Verb::BundleFind, right)
                .outside("bundles")
                .shows("bundle find aws", "versions that there are"),
            admin(
                "enable NAME [VERSION] [--accept] [--network=ENDPOINT…] [--write=PATH…] [--sandbox=LEVEL]",
                "Makes the commands of a bundle available; a version that may do more than the enabled one only with --accept; what the programs of a bundle of Cog reach is said here, since its manifest \
                 cannot",
                Verb::BundleEnable,
                right,
            )
            .kind("LEVEL", Kind::OneOf(["basic", "restrict", "isolate", "quota"].map(Into::into).to_vec()))
            .shows("bundle enable aws", "")
            .shows("bundle enable ec2 --network=*.amazonaws.com:443", "a bundle of Cog, which needs the network"),
            look(
                "diff NAME [VERSION]",
                "What another version of an enabled bundle may do more or less: the newest, if none is named",
                Verb::BundleDiff,
                right,
            )
            .outside("bundles")
            .shows("bundle diff aws 1.3.0", "before it is enabled"),
            admin(
                "upgrade NAME [VERSION] [--accept]",
                "Enables a newer version; one that may do more than the present one only with --accept",
                Verb::BundleUpgrade,
                right,
            )
            .shows("bundle upgrade aws", "to the newest that is installed"),
            admin("rollback NAME", "Enables the version that was enabled before", Verb::BundleRollback, right)
                .shows("bundle rollback aws", "as it was"),
            admin("disable NAME", "Takes the commands of a bundle away", Verb::BundleDisable, right)
                .shows("bundle disable aws", ""),
            admin("remove NAME [VERSION]", "Removes a bundle that is not enabled", Verb::BundleRemove, right)
                .shows("bundle remove aws 1.0.0", ""),
            look("list", "The bundles that are installed", Verb::BundleList, right)
                .outside("bundles")
                .fields(&["name", "version", "state", "from"]),
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
                .outside("bundles")
                .shows("bundle show aws", ""),
        ],
    )
}
