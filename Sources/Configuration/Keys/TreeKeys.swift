import Plan
import SupervisorCore

/// Keys of `[supervisor]`.
enum SupervisorKeys {
    static let readUsers = Key.texts(
        "read-users", of: "user names", shape: .list(of: .form(.person)),
        "May ask (status, tree, why, events) beside root and nexusd's own user.")
    static let readGroups = Key.texts(
        "read-groups", of: "group names", shape: .list(of: .form(.person)), "Members may ask.")
    static let controlUsers = Key.texts(
        "control-users", of: "user names", shape: .list(of: .form(.person)), "May also start, stop, restart and chat.")
    static let controlGroups = Key.texts(
        "control-groups", of: "group names", shape: .list(of: .form(.person)), "Members may also control.")

    static let section = SectionInfo(
        title: "[supervisor]", summary: "Who may use the control socket.",
        keys: [readUsers.info, readGroups.info, controlUsers.info, controlGroups.info])
}

/// Keys of `[log]`.
enum LogKeys {
    static let size = Key.size(
        "size", in: 65_536...1_073_741_824, shown: SizeText.show(LogPlan().fileBytes),
        "A log file is rotated when it is this long.")
    static let files = Key.number("files", in: 1...1000, shown: "\(LogPlan().files)", "Rotated files that are kept.")
    static let journal = Key.flag("journal", LogPlan().journal, "Into journald too, when there is one.")
    static let rate = Key.rate(
        "rate", shown: RateText.show(.standard),
        "What a child may say at most; lines beyond it are counted and not kept, and the log says how many.")
    static let maxAge = Key.duration(
        "max-age", in: .seconds(60) ... .seconds(315_360_000), shown: "none",
        "A rotated file is removed when it is this old; a current one is rotated when its first line is a tenth of it old."
    )
    static let total = Key.size(
        "total", in: 1_000_000...1_000_000_000_000_000, shown: SizeText.show(LogBuilder.standardTotal),
        "Bytes of all logs together; above it the oldest rotated file of whoever has the most is removed.")
    static let compress = Key.flag(
        "compress", false, "Rotated files but the youngest are compressed by zstd, when it is installed.")
    static let user = Key.person(
        "user", shown: "nexusd's own", "uid",
        "User of log-writer; needs the right to change uids.")

    static let section = SectionInfo(
        title: "[log]", summary: "Defaults for every child's log, and log-writer itself, which needs no table.",
        keys: [
            size.info, files.info, journal.info, rate.info, maxAge.info, total.info, compress.info, user.info,
        ])
}

/// Keys of `[group.NAME]`.
enum GroupKeys {
    static let children = Key.texts(
        "children", of: "child names", shape: .names(.child, count: 1...Int.max), shown: "required",
        "Its children; for one-for-all and rest-for-one also their order.")
    static let strategy = Key.word(
        "strategy", "one-for-one",
        [("one-for-one", .oneForOne), ("one-for-all", .oneForAll), ("rest-for-one", .restForOne)],
        value: Strategy.oneForOne, "Which siblings restart when one crashes, as in Erlang/OTP.")
    static let intensity = Key.table(
        "intensity", IntensityKeys.section, shown: "none", "{ restarts = 5, window = \"1min\" }",
        "More restarts of its children than this within the window park the group.")
    static let slowRetry = Key.durationOrNever(
        "slow-retry", .seconds(900), .milliseconds(10) ... .seconds(604_800),
        "A parked group is tried again after this; \"never\": it waits for a command.")

    static let section = SectionInfo(
        title: "[group.NAME]", summary: "A group of children. A child may also stand in no group.",
        keys: [children.info, strategy.info, intensity.info, slowRetry.info])
}

/// Keys of `[secret.NAME]`.
enum SecretKeys {
    static let file = Key.text(
        "file", range: "absolute, or from `~/` or `./`", form: .path,
        "Read from this file at each start of a child; at most 64 KiB."
    )
    static let credential = Key.text(
        "credential", form: .credential, "A systemd credential of nexusd (LoadCredential=) with this name.")
    static let generate = Key.number(
        "generate", in: 16...64,
        "This many random bytes, in hexadecimal; new whenever its group starts from nothing. Only for children of one group."
    )

    static let section = SectionInfo(
        title: "[secret.NAME]", summary: "A secret: exactly one of the keys says where it comes from.",
        keys: [file.info, credential.info, generate.info],
        rules: [.one(of: ["file", "credential", "generate"])])
}

/// Keys of `[agent]`.
enum AgentKeys {
    static let workspaces = Key<[Node]?>(
        "workspaces", type: "array of tables",
        shape: .list(of: .section(WorkspaceKeys.section.title), count: 1...Workspaces.limit),
        initial: nil,
        shown: "[{ name = \"home\", path = \"~\" }]",
        "Directories that the agent may work in; given to children that name `{workspaces}`."
    ) { node throws(Mismatch) in try node.list(of: "tables such as { name = \"home\", path = \"~\" }") }

    static let permissionDefault = Key.word(
        "permission-default", "reject", [("reject", "reject"), ("once", "once")], value: "reject",
        "What the agent is told when nobody answers a request for leave in time; a question is put aside then.")
    static let answerTimeout = Key.duration(
        "answer-timeout", .seconds(600), .seconds(1) ... .seconds(604_800),
        "How long a request for leave, or a question of the agent, waits for an answer.")

    static let dailyDollars = Key.number(
        "daily-dollars", in: 1...1_000_000,
        "What the agent may cost a day, as opencode reckons it; above that messages are refused until the next day.")
    static let dailyTokens = Key.number(
        "daily-tokens", in: 1...1_000_000_000_000,
        "The same in tokens of all kinds, for providers that are not paid by token.")

    static let section = SectionInfo(
        title: "[agent]", summary: "What the agent works on, and what it is told; given as `{agent}`.",
        keys: [workspaces.info, permissionDefault.info, answerTimeout.info, dailyDollars.info, dailyTokens.info])
}

/// Keys of `[chat]`.
enum ChatKeys {
    static let listen = Key<String>(
        "listen", type: "string", shape: .form(.chatListen), initial: "127.0.0.1:4780", shown: "\"127.0.0.1:4780\"",
        range: "address:port, localhost:port, or \"off\"; "
            + "other addresses than those of the loopback interface need a `certificate`",
        "Where the page is served; given to children that name `{chat-listen}`."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard ChatAddress.isListen(text) else {
            throw Mismatch(
                node.position,
                "must be \"off\", or an address and a port such as \"127.0.0.1:4780\" or \"[::1]:4780\", found \"\(text)\""
            )
        }
        return text
    }
    static let certificate = Key<String>(
        "certificate", type: "string", shape: .form(.certificate), initial: "", shown: "none",
        range: "\"self-made\", or the absolute path of a PEM file: the certificate, then its chain",
        "With it the page is served by TLS only; given to children that name `{chat-certificate}`."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard text == ChatAddress.selfMade || text.hasPrefix("/") else {
            throw Mismatch(node.position, "must be \"self-made\" or the absolute path of a PEM file, found \"\(text)\"")
        }
        return text
    }
    static let key = Key<String>(
        "key", type: "string", shape: .form(.pem), initial: "", shown: "none", range: "absolute path of a PEM file",
        "The private key of a `certificate` of your own, for chat-bridge's user to read; given to children that name "
            + "`{chat-key}`."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard text.hasPrefix("/") else {
            throw Mismatch(node.position, "must be the absolute path of a PEM file, found \"\(text)\"")
        }
        return text
    }
    static let url = Key<String>(
        "url", type: "string", shape: .form(.pageURL), initial: "", shown: "none",
        range: "\"https://host\" or \"https://host:port\"",
        "Under which address a tunnel or a proxy brings others to the page; given to children that name `{chat-url}`."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard ChatAddress.isURL(text) else {
            // Browsers send such a name in its ASCII form, and `Origin` is compared with this.
            let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
            let ascii = isASCII ? "" : " (a name with other letters as address bars copy it: xn--…)"
            throw Mismatch(
                node.position,
                "must be https and a host with nothing behind it\(ascii), such as \"https://chat.example.invalid\", found"
                    + " \"\(text)\"")
        }
        return text
    }

    static let maxAge = Key.duration(
        "max-age", in: .seconds(3600) ... .seconds(315_360_000), shown: "none",
        "A session in which nothing was said for so long is deleted; given with `total` as `{chat-keep}`.")
    static let total = Key.size(
        "total", in: 1_000_000...1_000_000_000_000_000, shown: "none",
        "Bytes of all conversations; above it the session unused for longest is deleted, never the newest.")

    static let attachment = Key.size(
        "attachment", in: 1_000...20_000_000, shown: "10MB",
        "Bytes of one file that goes with a message.")
    static let attachments = Key.size(
        "attachments", in: 1_000_000...1_000_000_000_000, shown: "1GB",
        "Bytes of all such files that are kept; above it none is taken. Both are given as `{chat-keep}`.")

    static let section = SectionInfo(
        title: "[chat]", summary: "The page on which the owner talks to the agent, and how long it is kept.",
        keys: [
            listen.info, certificate.info, key.info, url.info, maxAge.info, total.info, attachment.info,
            attachments.info,
        ], rules: [.beside("key", oneOf: ["certificate"])])
}

/// Keys of `[tunnel]`.
enum TunnelKeys {
    static let mode = Key.word(
        "mode", "off", ["off", "quick", "named", "token"].map { ($0, $0) }, value: "off",
        "How the page is reached from outside; `nexusctl tunnel mode` chooses another without a change here.")
    static let id = Key<String>(
        "id", type: "string", shape: .form(.uuid), initial: "", shown: "none", range: "a UUID",
        "The tunnel of `mode = \"named\"`."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard TunnelSettings.isUUID(text) else {
            throw Mismatch(
                node.position,
                "must be the tunnel's UUID, such as \"6ff42ae2-765d-4adf-8112-31c55c1551ef\", found \"\(text)\"; its"
                    + " credentials file has it as TunnelID")
        }
        return text
    }
    static let credentialsFile = file(
        "credentials-file",
        "What proves that this machine may be the tunnel of `id`; written by `cloudflared tunnel create`."
    )
    static let tokenFile = file(
        "token-file", "Holds the token of `mode = \"token\"`, of a tunnel that is managed at Cloudflare's dashboard.")
    static let program = file("program", "cloudflared itself; without it PATH and the usual places are looked through.")

    private static func file(_ name: String, _ summary: String) -> Key<String> {
        Key<String>(
            name, type: "string", shape: .form(.absolutePath), initial: "", shown: "none", range: "absolute path",
            summary
        ) { node throws(Mismatch) in
            let text = try node.text()
            guard text.hasPrefix("/"), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw Mismatch(node.position, "must be an absolute path, found \"\(text)\"")
            }
            return text
        }
    }

    static let section = SectionInfo(
        title: "[tunnel]", summary: "How the page is reached from outside, through cloudflared; given as `{tunnel}`.",
        keys: [mode.info, id.info, credentialsFile.info, tokenFile.info, program.info],
        rules: [
            .needs("mode", value: "named", ["id", "credentials-file"]), .needs("mode", value: "token", ["token-file"]),
        ])
}

/// Keys of an element of `workspaces`.
enum WorkspaceKeys {
    static let name = Key.text(
        "name", shown: "required", range: Name.form, form: .name, "Its name in the chat.")
    static let path = Key.text(
        "path", shown: "required", range: "absolute, or from `~` or `.`", form: .path, "An existing directory.")

    static let section = SectionInfo(
        title: "workspaces", summary: "Each element of `workspaces`.", keys: [name.info, path.info])
}
