// Generated from schema/openrpc.json by `npm run generate`. Do not edit.

/** Whether a run changes its directory. */
export type Access = "write" | "read";

/** A run that a window carries out. */
export type ActiveRunHere = {
  /** Where it works. */
  directory: string;
  /** The run. */
  runID: RunId;
  /** The title of its automation. */
  title: string;
};

/** Who did something: a window, and the application that it belongs to. */
export type Actor = {
  /** What the client called itself. */
  client?: string;
  /** The sidecar. */
  instanceID: InstanceId;
};

/** What is directly ahead of a run that waits. Both kinds of identity are told apart by how they begin. */
export type Ahead = string;

/** An automation as one reader is shown it, whichever version wrote it. */
export type AnyAutomation = Automation | LaterAutomation;

/** A part of a list. */
export type AnyAutomationPage = {
  /** What is in it, newest first. */
  items: AnyAutomation[];
  /** Where the next page begins, if there is one. */
  nextCursor: string | null;
  /** The newest event that this page already knows of. */
  seq: number;
};

/** A run, whichever version wrote it. */
export type AnyRun = Run | LaterRun;

/** A part of a list. */
export type AnyRunPage = {
  /** What is in it, newest first. */
  items: AnyRun[];
  /** Where the next page begins, if there is one. */
  nextCursor: string | null;
  /** The newest event that this page already knows of. */
  seq: number;
};

/** Whether somebody is there to answer. */
export type Attendance = "attended" | "unattended";

/** An automation as clients see it. */
export type Automation = {
  /** Whether its runs change the directory. */
  access: Access;
  /** When it was created. */
  createdAt: Timestamp;
  /** Who created it. */
  createdBy: Actor;
  /** Its identity. */
  id: AutomationId;
  /** Why and since when it is paused. */
  pause: Pause | null;
  /** Whether `pause` is there. */
  paused: boolean;
  /** What happens when things are not as planned. */
  policy: Policy;
  /** Counts what users changed, nothing else. */
  revision: number;
  /** What follows from its runs and its schedule; never counts as a revision. */
  state: DerivedState;
  /** What is done. */
  task: Task;
  /** The IANA name of the zone in which a cron expression is meant. Always stored. */
  timezone: string;
  /** 1 to 160 characters. */
  title: string;
  /** When a user last changed it. */
  updatedAt: Timestamp;
  /** Where it is done. */
  where: Placement;
} & (
  /** Once. */
  | {
    /** At this instant. */
    fireAt: Timestamp;
    kind: "oneshot";
  }
  /** Again and again. */
  | {
    kind: "recurring";
    /** How often. */
    rhythm: Rhythm;
    /** Until when. */
    stop: Stop;
  }
);

export type AutomationCreateParams = {
  /**
   * Whether its runs change their directory: runs that do wait for each other there, runs that only read neither wait nor are waited for.
   * @default "write"
   */
  access?: "write" | "read";
  /**
   * Only shows what would be; nothing is stored.
   * @default false
   */
  dryRun?: boolean;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** The client's own name for this request: the same one again within 24 h gives what the first did. */
  key?: string;
  /** What is noted on the pause; only with `paused`: true. */
  note?: string;
  /**
   * Whether it is created at rest.
   * @default false
   */
  paused?: boolean;
  /** What happens when things are not as planned. What is left out has its default. */
  policy?: {
    /**
     * How long a run may wait for a person.
     * @default {"attended":86400000,"unattended":3600000}
     */
    blockerMs?: {
      /**
       * If somebody asked for the run.
       * @default 86400000
       */
      attended?: number;
      /**
       * If a timer did.
       * @default 3600000
       */
      unattended?: number;
    };
    /**
     * What one run may cost.
     * @default null
     */
    budget?: {
      /** The most. */
      perRun: {
        /** How much. */
        amount: number;
        /** An ISO 4217 code. */
        currency: string;
      };
    } | null;
    /**
     * How long a run may be silent; null for as long as it likes. 600000 if the task is a prompt.
     * From 1000 to 31536000000.
     * @default null
     */
    idleMs?: number | null;
    /**
     * When another run is ahead in the directory: the run waits for up to `queueMs`, or does not take place.
     * @default "queue"
     */
    ifBusy?: "queue" | "skip";
    /**
     * How many ended runs are kept.
     * @default {"days":90,"runs":1000}
     */
    keep?: {
      /**
       * So many days after their end.
       * From 1 to 3650.
       * @default 90
       */
      days?: number;
      /**
       * So many, the newest.
       * From 1 to 1000000.
       * @default 1000
       */
      runs?: number;
    };
    /**
     * What becomes of times that passed while nobody rang: they are recorded, or one run makes up for them.
     * @default {"kind":"runOnce"}
     */
    missed?: {
      kind: "skip";
    } | {
      kind: "runOnce";
      /** How late the newest missed time may be; half the distance to the next one, at most 12 h, if it is absent. */
      windowMs?: number;
    };
    /**
     * When the previous run is still active: the time is skipped and counted on that run; a run waits for its end; or that run is asked to end first.
     * @default "skip"
     */
    overlap?: "skip" | "queueOne" | "cancelPrevious";
    /**
     * After how many failures in a row the automation pauses itself; null for never. One of class `config`, `auth` or `quota` pauses it whatever this says.
     * From 1 to 1000000.
     * @default 5
     */
    pauseAfterFailures?: number | null;
    /**
     * Whether an agent's requests are put to a person.
     * @default "ask"
     */
    permissions?: "ask" | "deny";
    /**
     * A program that is started first, in the run's directory and environment. Exit code 0: the command is started; 75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a task of kind `notify`; an agent is told what it wrote.
     * @default null
     */
    precheck?: {
      /**
       * Together at most 102400 bytes.
       * @default []
       */
      args?: string[];
      /** A name in the search path, or a path. At most 4096 bytes of UTF-8. */
      program: string;
      /**
       * Longer than this is a failure to start.
       * From 1000 to 31536000000.
       */
      timeoutMs: number;
    } | null;
    /**
     * How long a run may wait before it begins.
     * @default 3600000
     */
    queueMs?: number;
    /**
     * Whether a run whose work never began is tried again.
     * @default {"attempts":0,"delayMs":60000}
     */
    retry?: {
      /**
       * How often, after the first time.
       * @default 0
       */
      attempts?: number;
      /**
       * How long after a failure.
       * From 1000 to 31536000000.
       * @default 60000
       */
      delayMs?: number;
    };
    /**
     * How long the start of its work may take.
     * From 1000 to 31536000000.
     * @default 60000
     */
    startMs?: number;
    /**
     * How many steps an agent may take.
     * From 1 to 1000000.
     * @default 50
     */
    stepCap?: number;
    /**
     * How long a run may work; what it waits for a person does not count.
     * From 1000 to 31536000000.
     * @default 3600000
     */
    wallMs?: number;
  };
  /** What is done. No shell takes part unless `program` is one. */
  task: {
    /**
     * Together at most 102400 bytes.
     * @default []
     */
    args?: string[];
    /**
     * Together at most 102400 bytes.
     * @default {}
     */
    env?: {
      [name: string]: string | {
        /** A variable of the executing window. */
        from: string;
      };
    };
    kind: "command";
    /** A name in the search path, or a path. At most 4096 bytes of UTF-8. */
    program: string;
    /** What it reads. At most 65536 bytes of UTF-8. */
    stdin?: string;
  } | {
    /**
     * Whether each run has a session of its own, or goes on in that of the run before.
     * @default "fresh"
     */
    context?: "fresh" | "continue";
    kind: "prompt";
    /** Who is asked; `provider/list` has all. */
    model: {
      /** The id of one of its models. */
      modelID: string;
      /** The provider's id. */
      providerID: string;
    };
    /** What an agent is asked to do. */
    prompt: string;
    /** The session that is continued, only with `continue`; else that of the automation's last run. */
    sessionID?: string;
    /** One of the variants of the model. */
    variant?: string;
  } | {
    kind: "notify";
    /** What people are told; nothing is executed. */
    text: string;
  };
  /** An IANA name; the machine's zone if it is absent. */
  timezone?: string;
  /** What people call it. */
  title: string;
  /** Where its runs work; in the project's directory if nothing else is said. */
  where?: {
    /** In the worktree `.worktrees/sexton/<name>` of the project, which has to be the top of a git work tree. It is made on first use, on the branch `sexton/<name>`, and used as it is found. The name is this text in lower case, with one `-` in place of whatever is no letter from a to z and no digit, and at most 64 characters. Not with `context: "continue"`. */
    worktree?: string;
  };
} & (
  | {
    /** Whether it is due once, or again and again. */
    kind: "oneshot";
    rhythm?: never;
    stop?: never;
    /** When it is due; only with `oneshot`, and in the future. */
    fireAt: number;
  }
  | {
    /** Whether it is due once, or again and again. */
    kind: "recurring";
    /** How often it is due; only with `recurring`. */
    rhythm: {
      /** What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of the schedule if it is absent. */
      anchorAt?: number;
      /**
       * At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.
       * From 1 to 316224000000.
       */
      everyMs: number;
      kind: "interval";
    } | {
      /** Five fields as in a crontab, or a nickname. At most 1000 bytes of UTF-8. */
      expression: string;
      kind: "cron";
    };
    /**
     * When it ends; only with `recurring`.
     * @default {"kind":"never"}
     */
    stop?: {
      kind: "never";
    } | {
      /**
       * After how many of its runs have succeeded or failed.
       * From 1 to 1000000000.
       */
      count: number;
      kind: "count";
    } | {
      /** The last time at which it may be due. */
      at: number;
      kind: "until";
    };
    fireAt?: never;
  }
);

export type AutomationCreateResult = Automation;

export type AutomationDeleteParams = {
  /**
   * What becomes of its active runs: they are ended first; they go on to their end; or nothing is deleted while there are any.
   * @default "cancel"
   */
  activeRun?: "cancel" | "finish" | "refuse";
  /** The automation. */
  id: string;
  /**
   * The revision that the change is meant for; with another one it is refused.
   * From 1 to 9007199254740991.
   */
  ifRevision?: number;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
};

export type AutomationDeleteResult = Deleted;

export type AutomationExplainParams = {
  /** The time in question, in the past or to come: the scheduled time in the same minute is meant. If it is absent, the last time that was due, or else the next one. */
  at?: number;
  /** The automation. */
  id: string;
};

export type AutomationExplainResult = Explanation;

export type AutomationGetParams = {
  /** The automation. */
  id: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
};

export type AutomationGetResult = AnyAutomation;

/**
 * An automation.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type AutomationId = string;

export type AutomationListParams = {
  /** The `nextCursor` of the page before. */
  cursor?: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /**
   * How much one answer has at most.
   * From 1 to 500.
   * @default 100
   */
  limit?: number;
  /** Only those that are paused, or only those that are not. */
  paused?: boolean;
  /** A part of the title, in upper or lower case. */
  query?: string;
};

export type AutomationListResult = AnyAutomationPage;

export type AutomationPauseParams = {
  /** The automation. */
  id: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** Why, for people. */
  note?: string;
};

export type AutomationPauseResult = Automation;

export type AutomationPreviewParams = {
  /** Only fires after this; now if it is absent. */
  after?: number;
  /**
   * How many fires are wanted.
   * From 1 to 1000.
   * @default 5
   */
  count?: number;
  /** An IANA name; the machine's zone if it is absent. */
  timezone?: string;
} & (
  | {
    rhythm?: never;
    stop?: never;
    /** When it would be due once. */
    fireAt: number;
  }
  | {
    /** How often it is due; only with `recurring`. */
    rhythm: {
      /** What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of the schedule if it is absent. */
      anchorAt?: number;
      /**
       * At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.
       * From 1 to 316224000000.
       */
      everyMs: number;
      kind: "interval";
    } | {
      /** Five fields as in a crontab, or a nickname. At most 1000 bytes of UTF-8. */
      expression: string;
      kind: "cron";
    };
    /**
     * When it ends; only with `recurring`.
     * @default {"kind":"never"}
     */
    stop?: {
      kind: "never";
    } | {
      /**
       * After how many of its runs have succeeded or failed.
       * From 1 to 1000000000.
       */
      count: number;
      kind: "count";
    } | {
      /** The last time at which it may be due. */
      at: number;
      kind: "until";
    };
    fireAt?: never;
  }
);

export type AutomationPreviewResult = Preview;

export type AutomationResumeParams = {
  /** The automation. */
  id: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** Why, for people. */
  note?: string;
};

export type AutomationResumeResult = Automation;

export type AutomationRunParams = {
  /**
   * Whether somebody is there to answer, which decides how long a question waits.
   * @default "attended"
   */
  attendance?: "attended" | "unattended";
  /** What is told beside the prompt, this time. */
  context?: string;
  /**
   * Who carries it out: the window that is asked, if it can, or a participant as for a scheduled run, so that whoever asks may leave. While none is open, a command waits for one.
   * @default "asker"
   */
  executor?: "asker" | "participant";
  /** The automation. */
  id: string;
  /** What the run does when another one is ahead of it in its directory; else its policy says that. */
  ifBusy?: "queue" | "skip";
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** The client's own name for this request: the same one again within 24 h gives what the first did. */
  key?: string;
};

export type AutomationRunResult = Run;

export type AutomationSimulateParams = {
  /** How long each run takes, instead of the median of the last ones of its automation. */
  assumeRunMs?: number;
  /** An automation that there is not: it is created now, in thought. */
  draft?: {
    /**
     * Whether its runs change their directory: runs that do wait for each other there, runs that only read neither wait nor are waited for.
     * @default "write"
     */
    access?: "write" | "read";
    /**
     * Whether it is created at rest.
     * @default false
     */
    paused?: boolean;
    /** What happens when things are not as planned. What is left out has its default. */
    policy?: {
      /**
       * How long a run may wait for a person.
       * @default {"attended":86400000,"unattended":3600000}
       */
      blockerMs?: {
        /**
         * If somebody asked for the run.
         * @default 86400000
         */
        attended?: number;
        /**
         * If a timer did.
         * @default 3600000
         */
        unattended?: number;
      };
      /**
       * What one run may cost.
       * @default null
       */
      budget?: {
        /** The most. */
        perRun: {
          /** How much. */
          amount: number;
          /** An ISO 4217 code. */
          currency: string;
        };
      } | null;
      /**
       * How long a run may be silent; null for as long as it likes. 600000 if the task is a prompt.
       * From 1000 to 31536000000.
       * @default null
       */
      idleMs?: number | null;
      /**
       * When another run is ahead in the directory: the run waits for up to `queueMs`, or does not take place.
       * @default "queue"
       */
      ifBusy?: "queue" | "skip";
      /**
       * How many ended runs are kept.
       * @default {"days":90,"runs":1000}
       */
      keep?: {
        /**
         * So many days after their end.
         * From 1 to 3650.
         * @default 90
         */
        days?: number;
        /**
         * So many, the newest.
         * From 1 to 1000000.
         * @default 1000
         */
        runs?: number;
      };
      /**
       * What becomes of times that passed while nobody rang: they are recorded, or one run makes up for them.
       * @default {"kind":"runOnce"}
       */
      missed?: {
        kind: "skip";
      } | {
        kind: "runOnce";
        /** How late the newest missed time may be; half the distance to the next one, at most 12 h, if it is absent. */
        windowMs?: number;
      };
      /**
       * When the previous run is still active: the time is skipped and counted on that run; a run waits for its end; or that run is asked to end first.
       * @default "skip"
       */
      overlap?: "skip" | "queueOne" | "cancelPrevious";
      /**
       * After how many failures in a row the automation pauses itself; null for never. One of class `config`, `auth` or `quota` pauses it whatever this says.
       * From 1 to 1000000.
       * @default 5
       */
      pauseAfterFailures?: number | null;
      /**
       * Whether an agent's requests are put to a person.
       * @default "ask"
       */
      permissions?: "ask" | "deny";
      /**
       * A program that is started first, in the run's directory and environment. Exit code 0: the command is started; 75: there is nothing to do, and the run ends as `stopped`; anything else: it has failed to start. Not with a task of kind `notify`; an agent is told what it wrote.
       * @default null
       */
      precheck?: {
        /**
         * Together at most 102400 bytes.
         * @default []
         */
        args?: string[];
        /** A name in the search path, or a path. At most 4096 bytes of UTF-8. */
        program: string;
        /**
         * Longer than this is a failure to start.
         * From 1000 to 31536000000.
         */
        timeoutMs: number;
      } | null;
      /**
       * How long a run may wait before it begins.
       * @default 3600000
       */
      queueMs?: number;
      /**
       * Whether a run whose work never began is tried again.
       * @default {"attempts":0,"delayMs":60000}
       */
      retry?: {
        /**
         * How often, after the first time.
         * @default 0
         */
        attempts?: number;
        /**
         * How long after a failure.
         * From 1000 to 31536000000.
         * @default 60000
         */
        delayMs?: number;
      };
      /**
       * How long the start of its work may take.
       * From 1000 to 31536000000.
       * @default 60000
       */
      startMs?: number;
      /**
       * How many steps an agent may take.
       * From 1 to 1000000.
       * @default 50
       */
      stepCap?: number;
      /**
       * How long a run may work; what it waits for a person does not count.
       * From 1000 to 31536000000.
       * @default 3600000
       */
      wallMs?: number;
    };
    /** What is done. No shell takes part unless `program` is one. */
    task: {
      /**
       * Together at most 102400 bytes.
       * @default []
       */
      args?: string[];
      /**
       * Together at most 102400 bytes.
       * @default {}
       */
      env?: {
        [name: string]: string | {
          /** A variable of the executing window. */
          from: string;
        };
      };
      kind: "command";
      /** A name in the search path, or a path. At most 4096 bytes of UTF-8. */
      program: string;
      /** What it reads. At most 65536 bytes of UTF-8. */
      stdin?: string;
    } | {
      /**
       * Whether each run has a session of its own, or goes on in that of the run before.
       * @default "fresh"
       */
      context?: "fresh" | "continue";
      kind: "prompt";
      /** Who is asked; `provider/list` has all. */
      model: {
        /** The id of one of its models. */
        modelID: string;
        /** The provider's id. */
        providerID: string;
      };
      /** What an agent is asked to do. */
      prompt: string;
      /** The session that is continued, only with `continue`; else that of the automation's last run. */
      sessionID?: string;
      /** One of the variants of the model. */
      variant?: string;
    } | {
      kind: "notify";
      /** What people are told; nothing is executed. */
      text: string;
    };
    /** An IANA name; the machine's zone if it is absent. */
    timezone?: string;
    /** What people call it. */
    title: string;
    /** Where its runs work; in the project's directory if nothing else is said. */
    where?: {
      /** In the worktree `.worktrees/sexton/<name>` of the project, which has to be the top of a git work tree. It is made on first use, on the branch `sexton/<name>`, and used as it is found. The name is this text in lower case, with one `-` in place of whatever is no letter from a to z and no digit, and at most 64 characters. Not with `context: "continue"`. */
      worktree?: string;
    };
  } & (
    | {
      /** Whether it is due once, or again and again. */
      kind: "oneshot";
      rhythm?: never;
      stop?: never;
      /** When it is due; only with `oneshot`, and in the future. */
      fireAt: number;
    }
    | {
      /** Whether it is due once, or again and again. */
      kind: "recurring";
      /** How often it is due; only with `recurring`. */
      rhythm: {
        /** What it is counted from, in both directions, so that no edit and no pause moves it; the beginning of the schedule if it is absent. */
        anchorAt?: number;
        /**
         * At least the window's `limits.minIntervalMs`, which is 30000 if not lowered.
         * From 1 to 316224000000.
         */
        everyMs: number;
        kind: "interval";
      } | {
        /** Five fields as in a crontab, or a nickname. At most 1000 bytes of UTF-8. */
        expression: string;
        kind: "cron";
      };
      /**
       * When it ends; only with `recurring`.
       * @default {"kind":"never"}
       */
      stop?: {
        kind: "never";
      } | {
        /**
         * After how many of its runs have succeeded or failed.
         * From 1 to 1000000000.
         */
        count: number;
        kind: "count";
      } | {
        /** The last time at which it may be due. */
        at: number;
        kind: "until";
      };
      fireAt?: never;
    }
  );
  /** The first scheduled time that is wanted. */
  from: number;
  /** Only of these; if it is absent, only of the draft if there is one, and else of all. */
  ids?: string[];
  /** The last one; not before `from`. */
  to: number;
};

export type AutomationSimulateResult = Simulation;

/** How many scheduled times one automation has. */
export type AutomationTotals = {
  /** The automation; empty for the draft. */
  id: AutomationId;
  /** How many, by what becomes of them. */
  outcomes: {
    [name: string]: number;
  };
};

export type AutomationUpdateParams = {
  /** The automation. */
  id: string;
  /**
   * The revision that the change is meant for; with another one it is refused.
   * From 1 to 9007199254740991.
   */
  ifRevision?: number;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** A JSON merge patch (RFC 7396) over the draft. What belongs to one `kind` of an object goes when its `kind` changes; the automation's own `kind` cannot change. */
  patch: {
    access?: "write" | "read" | null;
    fireAt?: number | null;
    /** Whether it is due once, or again and again. */
    kind?: "oneshot" | "recurring";
    policy?: {
      blockerMs?: {
        attended?: number | null;
        unattended?: number | null;
      } | null;
      budget?: {
        /** The most. */
        perRun?: {
          /** How much. */
          amount?: number;
          /** An ISO 4217 code. */
          currency?: string;
        };
      } | null | null;
      idleMs?: number | null | null;
      ifBusy?: "queue" | "skip" | null;
      keep?: {
        days?: number | null;
        runs?: number | null;
      } | null;
      missed?: {
        kind?: "skip" | "runOnce";
        windowMs?: number | null;
      } | null;
      overlap?: "skip" | "queueOne" | "cancelPrevious" | null;
      pauseAfterFailures?: number | null | null;
      permissions?: "ask" | "deny" | null;
      precheck?: {
        args?: string[] | null;
        /** A name in the search path, or a path. At most 4096 bytes of UTF-8. */
        program?: string;
        /**
         * Longer than this is a failure to start.
         * From 1000 to 31536000000.
         */
        timeoutMs?: number;
      } | null | null;
      queueMs?: number | null;
      retry?: {
        attempts?: number | null;
        delayMs?: number | null;
      } | null;
      startMs?: number | null;
      stepCap?: number | null;
      wallMs?: number | null;
    } | null;
    rhythm?: {
      anchorAt?: number | null;
      everyMs?: number | null;
      expression?: string | null;
      kind?: "interval" | "cron";
    } | null;
    stop?: {
      at?: number | null;
      count?: number | null;
      kind?: "never" | "count" | "until";
    } | null;
    /** What is done. No shell takes part unless `program` is one. */
    task?: {
      args?: string[] | null;
      context?: "fresh" | "continue" | null;
      env?: {
        [name: string]: string | {
          /** A variable of the executing window. */
          from: string;
        } | null;
      } | null;
      kind?: "command" | "prompt" | "notify";
      model?: {
        /** The id of one of its models. */
        modelID?: string;
        /** The provider's id. */
        providerID?: string;
      } | null;
      program?: string | null;
      prompt?: string | null;
      sessionID?: string | null;
      stdin?: string | null;
      text?: string | null;
      variant?: string | null;
    };
    timezone?: string | null;
    /** What people call it. */
    title?: string;
    where?: {
      worktree?: string | null;
    } | null;
  };
};

export type AutomationUpdateResult = Automation;

/** What a run waits for a person for, since when and until when. */
export type Blocker = {
  /**
   * Until when it may be answered. Who asked for a permission is then told the first option of the kind
   * `reject_once`, if one was offered, and otherwise nothing: what holds for later is chosen by a person alone.
   */
  expiresAt: Timestamp;
  /** Since when. */
  since: Timestamp;
} & (
  /** It asks whether it may do something. */
  | {
    kind: "permission";
    /** What may be answered; at least one. */
    options: PermissionOption[];
    /** The agent's request. */
    requestID: string;
    /** What it asks for. */
    title: string;
    /** What it wants to use, in the words of the agent. */
    tool?: {
      [name: string]: unknown;
    };
  }
  /** It asks a question. */
  | {
    kind: "question";
    /** What may be chosen; without any, words are wanted. */
    options?: QuestionOption[];
    /** The agent's call. */
    callID: string;
    /** The question. */
    prompt: string;
  }
);

/** How long a run may wait for a person, in milliseconds. */
export type BlockerMs = {
  /** When somebody asked for the run. */
  attended: number;
  /** When a timer did. */
  unattended: number;
};

/** What one run may cost. */
export type Budget = {
  /** The limit of one run. */
  perRun: Money;
};

/** What this version can do. */
export type Capabilities = {
  features: string[];
  methods: string[];
  tasks: string[];
};

/** A part of an output as a subscriber is told it. */
export type Chunk = {
  /** What was written there. */
  data: string;
  /** How it is written here. */
  encoding: "utf8" | "base64";
  /** Whether the run has ended and nothing follows. */
  end: boolean;
  /** The byte at which it begins: where the chunk before it ended. */
  offset: number;
  /** The run that has written it. */
  runID: RunId;
};

/** The clock was set. */
export type ClockSet = {
  /** What it would have shown otherwise; after a restart of the machine, the newest time that is known. */
  from: Timestamp;
  /** What it shows instead. */
  to: Timestamp;
};

/** What a close is for. */
export type CloseKind = "reload" | "dispose" | "shutdown";

/** What becomes of the runs in its way. */
export type CloseMode = "maintenance" | "force";

/** What a close is answered with. */
export type CloseResult = {
  /** Which directories it concerns, as `Run.directory`. */
  affectedDirectoryKeys: string[];
  /** Its identity: events name it when it has happened. */
  lifecycleActionID: LifecycleActionId;
  /** Whether it has happened. */
  status: CloseStatus;
  /** What it waits for. */
  waitingFor: WaitedFor;
};

/** Whether a close has happened. */
export type CloseStatus = "completed" | "deferred";

/** Whether an agent's session was new. */
export type Continuity = "new" | "resumed" | "loaded";

/** What became of an automation that was deleted. */
export type Deleted = {
  /** That it is gone. */
  deleted: boolean;
  /** Its identity. */
  id: AutomationId;
  /** Its last revision plus one. */
  revision: number;
  /** The runs that were active, as they ended. */
  stoppedRuns: Run[];
};

/** What follows from an automation's runs and its schedule. */
export type DerivedState = {
  /** Runs that have not ended, oldest first. */
  activeRuns: RunId[];
  /** Runs that count towards a stop by count. */
  completedRuns: number;
  /** Failed runs since the last that succeeded. */
  failureStreak: number;
  /** The newest run. */
  lastRun: RunId | null;
  /** The next scheduled time that nothing answers for yet. */
  nextFireAt: Timestamp | null;
  /** The next scheduled times, at most five and no more than a stop by count leaves. */
  nextFires: Timestamp[];
  /** The agent's session that the next run may continue. */
  sessionID: string | null;
  /** What a person should know about the definition although it is valid. */
  warnings: string[];
};

/** How much the work of a run has changed. */
export type Diffstat = {
  /** How many lines were removed. */
  deletions: number;
  /** How many files, also those beyond the first 1000, which `files` leaves out. */
  files: number;
  /** How many lines were added. Files that are no text have none. */
  insertions: number;
};

export type DirectoryHoldParams = {
  /** Where the work goes on; the project's directory if it is absent. */
  directory?: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** What the work is, for people. */
  title: string;
};

/** The subscription, which its notifications name, and the method that ends it. */
export type DirectoryHoldResult = string;

export type DirectoryReleaseParams = {
  /** What the request that began it was answered with. */
  subscription: string;
};

/** Whether there was such a subscription. */
export type DirectoryReleaseResult = boolean;

/** A value in a task's environment. */
export type EnvValue = string | {
  /** The name. */
  from: string;
};

/** Whose fault a failure is. */
export type ErrorClass = "task" | "transient" | "config" | "auth" | "quota" | "permission" | "agent" | "crash";

/** What kind of failure ended a run. */
export type ErrorCode = "execution_failed" | "step_cap" | "loop_gate" | "timed_out" | "budget_exceeded" | "needs_user_input" | "start_failed" | "provider_unavailable" | "crashed";

/** Something that happened, in the order of `seq`. */
export type Event = {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  automation: AnyAutomation;
  kind: "automation.updated";
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "automation.deleted";
  /** Its place in the ledger. */
  seq: number;
  tombstone: Tombstone;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "run.updated";
  run: AnyRun;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "scheduler.owner";
  scheduler: Owner;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "scheduler.suspended";
  scheduler: Suspended;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "scheduler.clock";
  scheduler: ClockSet;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "run.warning";
  run: Run;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "lifecycle.completed";
  lifecycle: Lifecycle;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "lifecycle.failed";
  lifecycle: Lifecycle;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  kind: "provider.updated";
  provider: Provider;
  /** Its place in the ledger. */
  seq: number;
} & (
  | {
    /** Whether a person should be shown it at once. */
    important: false;
    text?: never;
  }
  | {
    /** Whether a person should be shown it at once. */
    important: true;
    /** What to show: one line of plain text, with times by the clocks of the automation's zone. There exactly if the event is important. Of a `run.warning`: what, and what can be done about it. */
    text: string;
  }
) | {
  /** When it was written, in milliseconds since the epoch. */
  at: number;
  /** Whether a person should be shown it at once. */
  important: boolean;
  kind: "resync";
  /** Its place in the ledger. */
  seq: number;
};

export type EventsSubscribeParams = {
  /** Only events after this one; from now on if it is absent. */
  after?: number;
  /** Only events of this automation and of its runs. */
  automationID?: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** Only events of these kinds, and `resync`. */
  kinds?: ("automation.updated" | "automation.deleted" | "run.updated" | "scheduler.owner" | "scheduler.suspended" | "scheduler.clock" | "run.warning" | "lifecycle.completed" | "lifecycle.failed" | "provider.updated")[];
  /** The ledger that `after` is a place of. */
  ledgerID?: string;
};

/** The subscription, which its notifications name, and the method that ends it. */
export type EventsSubscribeResult = string;

export type EventsUnsubscribeParams = {
  /** What the request that began it was answered with. */
  subscription: string;
};

/** Whether there was such a subscription. */
export type EventsUnsubscribeResult = boolean;

/** Something that the ledger tells. */
export type Evidence = {
  /** When it happened or began. */
  at: Timestamp;
  /** The event that told it, if it is still kept. */
  seq?: number;
  /** What, as a clause. */
  text: string;
};

/** What became of a time that somebody asks about. */
export type Explanation = {
  /** What is behind that, oldest first: at most 64 pieces. */
  evidence: Evidence[];
  /** The run that answers for it, or on which it is counted; of a chain of retries the last. */
  run?: AnyRun;
  /** The scheduled time that is meant; none if nothing was scheduled in that minute. */
  scheduledAt: Timestamp | null;
  /** The same in a sentence for a person, with times of the automation's zone. */
  summary: string;
  /** What became of it. */
  verdict: Verdict;
};

/** One fault: where, what, and the way out. */
export type Fault = {
  /** The path of the field inside what was sent, such as `rhythm.expression`. */
  field: string;
  /** A sentence that says what to do. */
  hint?: string;
  /** What is wrong with it. */
  message: Word;
};

/** A scheduled time, and what will become of it. */
export type Fire = {
  /** When it is due. */
  at: Timestamp;
  /** The automation; empty for the draft. */
  id: AutomationId;
  /** What will become of it. */
  outcome: Verdict;
  /** Why, if there is more to say: how its run was stopped or failed, or what it waits for or has waited for. */
  reason?: Reason;
  /** When the work starts that answers for it. */
  startedAt?: Timestamp;
};

/** Whether everything is as it should be. */
export type Health = "ok" | "degraded";

/** Stands where a value is not shown. */
export type Hidden = {
  [name: string]: unknown;
};

/** Work of the user's own in a directory: runs that write there wait for it. */
export type Hold = {
  /** Where: an absolute path, as `Run.directory`. */
  directory: string;
  /** The subscription that it lives as long as. */
  id: SubscriptionId;
  /** Since when. */
  since: Timestamp;
  /** What it is, for people. */
  title: string;
};

/** What a run does when another run holds its directory, or is ahead of it there. */
export type IfBusy = "queue" | "skip";

export type InitializeParams = {
  /** What the window belongs to. Others are told that it is its automation, its run, its bell. */
  clientInfo?: {
    /** The application. */
    name?: string;
    /** Its version. */
    version?: string | null;
    [name: string]: unknown;
  } | null;
  /** What is sexton's own. */
  initializationOptions?: {
    /** What processes that this window starts find in their environment. Kept in memory only. */
    environment?: {
      [name: string]: string;
    };
    /**
     * Whether a change of the user's configuration file is a reload of this window.
     * @default true
     */
    followConfigFile?: boolean;
    /** What this window bounds otherwise than usual. */
    limits?: {
      /**
       * How many of the newest events are kept, or those of seven days if these are more. The owner's holds.
       * @default 100000
       */
      eventHistory?: number;
      /**
       * How late a scheduled time may be and still count as in time. The owner's holds.
       * From 100 to 86400000.
       * @default 60000
       */
      graceMs?: number;
      /**
       * How many agents of the whole ledger may be at work at once. The owner's holds.
       * From 1 to 1000.
       * @default 1
       */
      maxAgents?: number;
      /**
       * How many runs of the whole ledger may be at work at once. The owner's holds.
       * From 1 to 1000.
       * @default 4
       */
      maxConcurrentRuns?: number;
      /**
       * The longest message, in both directions.
       * From 1024 to 1073741824.
       * @default 16777216
       */
      maxMessageBytes?: number;
      /**
       * The least `everyMs` that this window may give an interval.
       * From 10 to 86400000.
       * @default 30000
       */
      minIntervalMs?: number;
      /**
       * How much output of a run is kept.
       * @default 16777216
       */
      outputBytes?: number;
      /**
       * How long the machine has to be awake after a sleep before anything is begun. The owner's holds.
       * @default 10000
       */
      stableWakeMs?: number;
      /**
       * How long another window waits for one that does not do its part before it does that itself. The owner's holds; less than `graceMs`, half of it if this is absent.
       * From 50 to 59999.
       * @default 2000
       */
      standbyMs?: number;
    };
    /** The project; wins over `rootUri` and `workspaceFolders`. The working directory if none is named. */
    projectDirectory?: string;
    /** The agents that are started for prompts, by what `task.model.providerID` names. */
    providers?: {
      [name: string]: {
        /** The program, an absolute path or a name that is looked up in the search path, of at most 4096 bytes, and its arguments. At most 102400 bytes together. */
        command: string[];
        /**
         * Together at most 102400 bytes.
         * @default {}
         */
        env?: {
          [name: string]: string | {
            /** A variable of the executing window. */
            from: string;
          };
        };
        /**
         * How long it may take to say what it offers, and each call to it, in milliseconds.
         * From 1000 to 600000.
         * @default 60000
         */
        startMs?: number;
        /**
         * Whether its runs are given the tools of `sexton mcp`, with which they can look at automations and pause their own.
         * @default true
         */
        tools?: boolean;
      };
    };
    /**
     * Whether it may ring the bell and carry out what is scheduled, or only looks, changes, and carries out what it is asked for itself.
     * @default "participant"
     */
    role?: "participant" | "observer";
    /** Where ledgers are kept; else SEXTON_STATE_DIR, else the platform's place for state. */
    stateDirectory?: string;
  } | null;
  /** The process that the sidecar works for: it ends when that does. Null, or one that is not seen from here, is not watched; the end of the input tells as well. */
  processId?: number | null;
  /** The project as a `file:` URI, if `projectDirectory` does not name it. */
  rootUri?: string | null;
  /** The first one is the project, if neither `projectDirectory` nor `rootUri` names it. */
  workspaceFolders?: ({
    /** A `file:` URI. */
    uri: string;
    [name: string]: unknown;
  })[] | null;
  [name: string]: unknown;
};

/** What a client is told. */
export type InitializeResult = {
  capabilities: Capabilities;
  instanceID: InstanceId;
  ledgerID: LedgerId;
  project: Project;
  protocolVersion: number;
  scheduler: SchedulerRole;
  seq: number;
  serverInfo: ServerInfo;
  stateDirectory: string;
  timeZoneData: TimeZoneData;
  warnings: string[];
};

/**
 * One living sidecar process with a ledger open.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type InstanceId = string;

/** How many ended runs are kept, and for how long. What is pruned leaves a daily account. */
export type Keep = {
  /** At most so many days after they ended. */
  days: number;
  /** At most so many, the newest. */
  runs: number;
};

/** An automation that a later version wrote. What it says beside these members is as that version wrote it. */
export type LaterAutomation = {
  /** When it was created. */
  createdAt: Timestamp;
  /** Who created it. */
  createdBy: unknown;
  /** Its identity. */
  id: AutomationId;
  /** That this version does not understand it. */
  ofLaterVersion: true;
  /** Why and since when it is paused. */
  pause: unknown;
  /** Whether `pause` is there. */
  paused: boolean;
  /** Counts what users changed, nothing else. */
  revision: number;
  /** What follows from its runs. Nothing is known of its schedule. */
  state: DerivedState;
  /** When a user last changed it. */
  updatedAt: Timestamp;
  [name: string]: unknown;
};

/** A run that a later version wrote. What it says beside these members is as that version wrote it. */
export type LaterRun = {
  /** The automation it belongs to, which may have been deleted. */
  automationID: AutomationId;
  /** When it ended. */
  completedAt: Timestamp | null;
  /** Where it works: an absolute path. */
  directory: string;
  /** Its identity. */
  id: RunId;
  /** That this version does not understand it. */
  ofLaterVersion: true;
  /** Counts the published changes of the run. */
  revision: number;
  /** Where it is in its life, in the words of that version. */
  state: string;
  /** When it was created. */
  triggeredAt: Timestamp;
  [name: string]: unknown;
};

/**
 * A ledger: one project's record.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type LedgerId = string;

/** A close as events tell of it. */
export type Lifecycle = {
  /** When it was over. */
  completedAt: Timestamp;
  /** Which directories it concerns, as `Run.directory`. */
  directories: string[];
  /** Why it failed, as a sentence, if it did. */
  error?: string;
  /** Its identity. */
  id: LifecycleActionId;
  /** What it is for. */
  kind: CloseKind;
  /** What becomes of the runs in its way. */
  mode: CloseMode;
  /** When it was asked for. */
  requestedAt: Timestamp;
};

/**
 * One wish to close.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type LifecycleActionId = string;

export type LifecycleCloseParams = {
  /** The directories that it concerns; all if it is absent. One that is not there has no runs. */
  directories?: string[];
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** What it is for: to read the configuration anew, or to give up the project, so that another window rings. */
  kind: "reload" | "dispose";
  /** What becomes of the runs in its way: they are waited for, or stopped. */
  mode: "maintenance" | "force";
};

export type LifecycleCloseResult = CloseResult;

/** What `lifecycle/status` tells of this window: what an application shows before it closes it. */
export type LifecycleStatus = {
  /** The runs that this window carries out, oldest first. */
  activeRuns: ActiveRunHere[];
  /** The work of the user's own that this window told of. */
  holds: Hold[];
  /** The closes that wait, oldest first. */
  pending: PendingClose[];
};

export type LifecycleStatusParams = Record<string, never>;

export type LifecycleStatusResult = LifecycleStatus;

/** What happens when the newest slot is later than the grace. */
export type Missed = {
  kind: "skip";
} | {
  kind: "runOnce";
  /** How late the newest slot may be, in milliseconds. None: half the distance to the next slot, at most 12 h. */
  windowMs?: number;
};

/** A model of a provider. */
export type Model = {
  /** Which of its models. */
  modelID: string;
  /** The provider. */
  providerID: ProviderId;
};

/** An amount in a currency. */
export type Money = {
  /** How much. */
  amount: number;
  /** Of what, as an ISO 4217 code. */
  currency: string;
};

/** Something to know about the fires around one instant. */
export type Note = {
  /** The fire that it is about; where none is, the instant at which one could have been expected. */
  at: Timestamp;
  /** What it is about. */
  kind: NoteKind;
  /** The same in a sentence. */
  text: string;
};

/** What a note is about. */
export type NoteKind = "clock_skipped" | "clock_moved" | "clock_repeated" | "clock_once" | "clock_shifted" | "leap_day" | "missing_day" | "uneven_step";

/** A model that a provider offers. */
export type OfferedModel = {
  /** What `task.model.modelID` names. */
  id: string;
  /** What people call it. */
  name: string;
  /** What `task.variant` may name. */
  variants: string[];
};

/** A part of an output as an answer tells it. */
export type Output = {
  /** What was written there. */
  data: string;
  /** How it is written here. */
  encoding: "utf8" | "base64";
  /** Whether the run has ended and nothing follows. */
  end: boolean;
  /** The byte at which the next part begins. */
  nextOffset: number;
  /** The byte at which it begins. */
  offset: number;
};

/** How much output a run has written. */
export type OutputSize = {
  /** What is kept, in bytes. */
  bytes: number;
  /** Whether there was more. */
  truncated: boolean;
};

export type OutputSubscribeParams = {
  /**
   * The byte of the output to begin with.
   * @default 0
   */
  offset?: number;
  /** The run. */
  runID: string;
};

/** The subscription, which its notifications name, and the method that ends it. */
export type OutputSubscribeResult = string;

export type OutputUnsubscribeParams = {
  /** What the request that began it was answered with. */
  subscription: string;
};

/** Whether there was such a subscription. */
export type OutputUnsubscribeResult = boolean;

/** What happens to a slot while the previous run is still active. */
export type Overlap = "skip" | "queueOne" | "cancelPrevious";

/** The instance that owns the bell, and its term. */
export type Owner = {
  /** What the client called itself. */
  client?: string;
  /** The sidecar. */
  instanceID: InstanceId;
  /** Since when. */
  since: Timestamp;
  /** Counts the owners of this ledger, from 1. */
  term: number;
};

/** That an automation is paused, since when and why. */
export type Pause = {
  /** Since when. */
  at: Timestamp;
  /** Who paused it. */
  by?: Actor;
  /**
   * What the person who paused it wrote; or, if it paused itself, what is wrong and what to do. At most 1000
   * characters.
   */
  note?: string;
  /** Why. */
  reason: PauseReason;
};

/** Why an automation is paused. */
export type PauseReason = "user" | "failures" | "config" | "auth" | "quota" | "run";

/** A close that waits. */
export type PendingClose = {
  /** Which directories it concerns, as `Run.directory`. */
  directories: string[];
  /** What it is for. */
  kind: CloseKind;
  /** Its identity. */
  lifecycleActionID: LifecycleActionId;
  /** When it was asked for. */
  requestedAt: Timestamp;
  /** What it waits for. */
  waitingFor: WaitedFor;
};

/** What an answer to a request for a permission means. */
export type PermissionKind = "allow_once" | "allow_always" | "reject_once" | "reject_always";

/** One answer to a request for a permission. */
export type PermissionOption = {
  /** What an answer names. */
  id: string;
  /** What it means. */
  kind: PermissionKind;
  /** What people read. */
  label: string;
};

/** Whether requests for permission are put to a person. */
export type Permissions = "ask" | "deny";

/** Where the runs of an automation work. */
export type Placement = {
  /**
   * The worktree in which they work, on a branch of its own: `.worktrees/sexton/<name>` in the project. Without
   * one they work in the project's directory.
   */
  worktree?: WorktreeName;
};

/** The policy of an automation, every field filled. */
export type Policy = {
  /** How long a run may wait for a person. */
  blockerMs: BlockerMs;
  /** What one run may cost. */
  budget: Budget | null;
  /** How long a run may be silent, in milliseconds; none for no limit. */
  idleMs: number | null;
  /** What a run does when another run holds its directory, or is ahead of it there. */
  ifBusy: IfBusy;
  /** How many ended runs are kept, and for how long. */
  keep: Keep;
  /** What happens to slots that are later than the grace. */
  missed: Missed;
  /** What happens to a slot while the previous run is still active. */
  overlap: Overlap;
  /**
   * After how many failures in a row the automation pauses itself; none for never. A single failure of class
   * `config`, `auth` or `quota` pauses it whatever this says.
   */
  pauseAfterFailures: number | null;
  /** Whether an agent's requests for permission are put to a person. */
  permissions: Permissions;
  /** A command that decides whether the run goes on. */
  precheck: Precheck | null;
  /** How long a run may wait before it starts, in milliseconds. */
  queueMs: number;
  /** Whether runs whose work could not be started are tried again. */
  retry: Retry;
  /** How long a start may take, in milliseconds. The time for a precheck, and for its end, comes on top of it. */
  startMs: number;
  /** How many steps an agent may take. */
  stepCap: number;
  /** How long a run may work, in milliseconds. */
  wallMs: number;
};

/**
 * A command that decides whether the run goes on: with exit code 0 it does, with 75 there is nothing to do, and
 * anything else is a failure to start.
 */
export type Precheck = {
  /**
   * Its arguments.
   * @default []
   */
  args: string[];
  /** The program. */
  program: string;
  /** How long it may take, in milliseconds. */
  timeoutMs: number;
};

/** An instance that has the project open. */
export type PresentInstance = {
  /** Whose window it is. */
  client?: string;
  /** Its identity. */
  id: InstanceId;
  /** Its process. */
  pid: number;
  /** What it does. */
  role: Role;
  /** Since when it has the project open. */
  since: Timestamp;
};

/** When something would fire. */
export type Preview = {
  /** The schedule in words, for people. */
  description: string;
  /** The next times. */
  fires: Timestamp[];
  /** What is other in these fires, or between them, than the words let expect; the first such notes, in order. */
  notes: Note[];
  /** What a person should know of the schedule as a whole. */
  warnings: string[];
};

/** How a process ended. */
export type ProcessEnd = {
  /** Its exit code, if it exited. */
  exitCode?: number;
  /** The number of the signal that killed it, if one did. */
  signal?: number;
  /** How many other processes it left behind, which were ended. */
  swept: number;
  /** The last 4 KiB of its output. */
  tail: string;
};

/** The project that is open. */
export type Project = {
  directory: string;
  id: string;
  vcs: Vcs | null;
};

/** A provider as clients see it. */
export type Provider = {
  /** When it last said what it offers; null if it never has. */
  checkedAt: Timestamp | null;
  /** Its identity: what `task.model.providerID` names. */
  id: ProviderId;
  /** What it is. */
  kind: ProviderKind;
  /** What it offers, or last offered. */
  models: OfferedModel[];
  /** Why not, as a sentence. */
  reason?: string;
  /** Whether it can be given work. */
  status: ProviderStatus;
};

/**
 * A provider, as its configuration or the window that serves it names it.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type ProviderId = string;

/** What a provider is. */
export type ProviderKind = "served" | "acp";

export type ProviderListParams = Record<string, never>;

export type ProviderListResult = Providers;

export type ProviderRefreshParams = {
  /** Only this one is asked; all, if it is absent. */
  id?: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
};

export type ProviderRefreshResult = RefreshedProviders;

export type ProviderServeParams = {
  /** What `task.model.providerID` names. */
  id: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /**
   * How many runs this window carries out at once.
   * From 1 to 100.
   * @default 1
   */
  maxConcurrent?: number;
  /** Each id once. All names together at most 65536 bytes. */
  models: ({
    /** What `task.model.modelID` names. */
    id: string;
    /** What people call it; its id if it is absent. */
    name?: string;
    /**
     * What `task.variant` may name.
     * @default []
     */
    variants?: string[];
  })[];
};

/** The subscription, which its notifications name, and the method that ends it. */
export type ProviderServeResult = string;

/** Whether a provider can be given work. */
export type ProviderStatus = "ready" | "unavailable" | "unknown";

export type ProviderUnserveParams = {
  /** What the request that began it was answered with. */
  subscription: string;
};

/** Whether there was such a subscription. */
export type ProviderUnserveResult = boolean;

/** What a window that serves a provider is told. */
export type ProviderWork = {
  /** How long it may take. */
  limits: WorkLimits;
  /** Which model, of the provider that the window serves. */
  model: string;
  /** Whether permissions may be asked for. */
  permissions: Permissions;
  /** What the agent is told. */
  prompt: string;
  /** The run. */
  run: Run;
  /** The session to continue, if one is. */
  sessionID?: string;
  /** How many steps it may take. */
  stepCap: number;
  type: "start";
  /** Which variant of it. */
  variant?: string;
} | {
  /** Whether it is not to wait for anything. */
  now: boolean;
  /** Why: a stop reason or an error code. */
  reason: Wish;
  /** The run. */
  runID: RunId;
  type: "cancel";
} | {
  /** The run that has asked. */
  runID: RunId;
  type: "answer";
} & (
  /** A request for a permission. */
  | {
    /** Which. */
    requestID: string;
  }
  /** A question. */
  | {
    /** Which. */
    callID: string;
  }
) & (
  /** One of the options. */
  | {
    /** Its id. */
    optionID: string;
  }
  /** Words of their own. */
  | {
    /** Which. */
    text: string;
  }
);

/** All providers that are known. */
export type Providers = {
  /** In the order of their ids. */
  items: Provider[];
};

/** A task as a run shows it. */
export type PublicTask = {
  /** Its arguments. */
  args: string[];
  /** The names in its environment. */
  env: {
    [name: string]: Hidden;
  };
  kind: "command";
  /** Its name or path. */
  program: string;
  /** What it reads. */
  stdin?: string;
} | {
  /** Whether the agent remembers earlier runs. */
  context: SessionContext;
  kind: "prompt";
  /** Who is told. */
  model: Model;
  /** What it is told, 1 to 20,000 characters. */
  prompt: string;
  /** The session that is to be continued; without it, that of the automation's last run. */
  sessionID?: string;
  /** Which variant of the model, one of those that it offers. */
  variant?: string;
} | {
  kind: "notify";
  /** What people are told. */
  text: string;
};

/** One answer to a question. */
export type QuestionOption = {
  /** What an answer names. */
  id: string;
  /** What people read. */
  label: string;
};

/** Why something becomes of a scheduled time: a word that runs have as well. */
export type Reason = StopReason | ErrorCode | WaitingFor;

/** All providers as they are after they were asked, or what is waited for before that. */
export type RefreshedProviders = Providers | {
  /** That they are. */
  status: Waits;
  /** The runs. */
  waitingFor: RunId[];
};

/** What a result means for the person. */
export type ResultOutcome = "changed" | "findings" | "nothing" | "needs_human";

/** Whether runs whose work could not be started are tried again. */
export type Retry = {
  /** How often at most, after the first time. */
  attempts: number;
  /** How long after a failure, in milliseconds. */
  delayMs: number;
};

/** What repeats. */
export type Rhythm = {
  /** What it is counted from, in both directions; absent where that is the beginning of the schedule. */
  anchorAt?: Timestamp;
  /** The distance, in milliseconds. */
  everyMs: number;
  kind: "interval";
} | {
  /** Five fields as in a crontab, or a nickname. */
  expression: string;
  kind: "cron";
};

/** The instance that owns the bell. */
export type RingingInstance = {
  /** Whose window it is. */
  client?: string;
  /** Its identity. */
  instanceID: InstanceId;
  /** Its process. */
  pid: number;
  /** Since when it owns the bell. */
  since: Timestamp;
  /** Counts the owners of this ledger, from 1. */
  term: number;
};

/** What a sidecar does beside answering its client. */
export type Role = "participant" | "observer";

export type RpcDiscoverParams = Record<string, never>;

/** An OpenRPC document. */
export type RpcDiscoverResult = {
  [name: string]: unknown;
};

/** One carrying-out of an automation, or the record of slots that were never carried out. */
export type Run = {
  /** Whether somebody is there. */
  attendance: Attendance;
  /** The automation it belongs to, which may have been deleted. */
  automationID: AutomationId;
  /** The automation's title when the run was created. */
  automationTitle: string;
  /** The close that ended it. */
  closedBy?: LifecycleActionId;
  /** Whether that session was new. */
  continuity: Continuity | null;
  /** What it has cost. */
  cost: Money | null;
  /** The automation's revision when the run was created. */
  definitionRevision: number;
  /** Where it works: an absolute path. */
  directory: string;
  /** Its identity. */
  id: RunId;
  /** Who executes it; set when it has started. */
  instanceID: InstanceId | null;
  /** How much output there is. */
  output: OutputSize;
  /** Counts the published changes of the run. */
  revision: number;
  /** The scheduled time it stands for; none for a manual run. */
  scheduledAt: Timestamp | null;
  /** The agent's session. */
  sessionID: string | null;
  /** The slots that overlap skipped behind it. */
  skipped: Skipped | null;
  /** The scheduled times it answers for. */
  slots: SlotRange | null;
  /** The steps an agent took. */
  steps: number;
  /** What is carried out, as it was when the run was created. */
  task: PublicTask;
  /** Why there is a run. */
  trigger: Trigger;
  /** When it was created. */
  triggeredAt: Timestamp;
  /** The worktree, if it has one of its own. */
  worktree?: WorktreeName;
} & (
  | {
    /** Where it is in its life. */
    state: "scheduled";
    /** What came out of it, if it succeeded. */
    result: null;
    /** Why it failed, if it did. */
    error: null;
    stopReason?: never;
    blocker?: never;
    /** When its work started, if it did. */
    startedAt: null;
    /** When it ended. */
    completedAt: null;
    /** How its process ended, if it had one. */
    end: null;
    /** What it waits for; while it is scheduled and something holds it back. */
    waiting?: Waiting;
    /** That it was asked to end, and its work has not gone yet. */
    stopping: Stopping | null;
  }
  | {
    /** Where it is in its life. */
    state: "running";
    /** What came out of it, if it succeeded. */
    result: null;
    /** Why it failed, if it did. */
    error: null;
    stopReason?: never;
    blocker?: never;
    /** When its work started, if it did. */
    startedAt: Timestamp;
    /** When it ended. */
    completedAt: null;
    /** How its process ended, if it had one. */
    end: null;
    waiting?: never;
    /** That it was asked to end, and its work has not gone yet. */
    stopping: Stopping | null;
  }
  | {
    /** Where it is in its life. */
    state: "awaiting_input";
    /** What came out of it, if it succeeded. */
    result: null;
    /** Why it failed, if it did. */
    error: null;
    stopReason?: never;
    /** What it waits for a person for; while it awaits input. */
    blocker: Blocker;
    /** When its work started, if it did. */
    startedAt: Timestamp;
    /** When it ended. */
    completedAt: null;
    /** How its process ended, if it had one. */
    end: null;
    waiting?: never;
    /** That it was asked to end, and its work has not gone yet. */
    stopping: Stopping | null;
  }
  | {
    /** Where it is in its life. */
    state: "succeeded";
    /** What came out of it, if it succeeded. */
    result: RunResult;
    /** Why it failed, if it did. */
    error: null;
    stopReason?: never;
    blocker?: never;
    /** When its work started, if it did. */
    startedAt: Timestamp | null;
    /** When it ended. */
    completedAt: Timestamp;
    /** How its process ended, if it had one. */
    end: ProcessEnd | null;
    waiting?: never;
    /** That it was asked to end, and its work has not gone yet. */
    stopping: null;
  }
  | {
    /** Where it is in its life. */
    state: "failed";
    /** What came out of it, if it succeeded. */
    result: null;
    /** Why it failed, if it did. */
    error: RunError;
    stopReason?: never;
    blocker?: never;
    /** When its work started, if it did. */
    startedAt: Timestamp | null;
    /** When it ended. */
    completedAt: Timestamp;
    /** How its process ended, if it had one. */
    end: ProcessEnd | null;
    waiting?: never;
    /** That it was asked to end, and its work has not gone yet. */
    stopping: null;
  }
  | {
    /** Where it is in its life. */
    state: "stopped";
    /** What came out of it, if it succeeded. */
    result: null;
    /** Why it failed, if it did. */
    error: null;
    /** Why it was stopped, if it was. */
    stopReason: StopReason;
    blocker?: never;
    /** When its work started, if it did. */
    startedAt: Timestamp | null;
    /** When it ended. */
    completedAt: Timestamp;
    /** How its process ended, if it had one. */
    end: ProcessEnd | null;
    waiting?: never;
    /** That it was asked to end, and its work has not gone yet. */
    stopping: null;
  }
);

export type RunCancelParams = {
  /** The run. */
  id: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
};

export type RunCancelResult = Run;

/** Why a run failed. */
export type RunError = {
  /** Whose fault it is. */
  class: ErrorClass;
  /** The kind of failure. */
  code: ErrorCode;
  /** A sentence for the person. */
  message: string;
};

export type RunGetParams = {
  /** The run. */
  id: string;
};

export type RunGetResult = AnyRun;

/**
 * One run of an automation.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type RunId = string;

export type RunListParams = {
  /** Only runs of this automation, which may have been deleted. */
  automationID?: string;
  /** The `nextCursor` of the page before. */
  cursor?: string;
  /** Only runs created at this time or later. */
  fromAt?: number;
  /**
   * How much one answer has at most.
   * From 1 to 100.
   * @default 50
   */
  limit?: number;
  /** Only runs in one of these states. */
  states?: ("scheduled" | "running" | "awaiting_input" | "succeeded" | "failed" | "stopped")[];
  /** Only runs created at this time or earlier. */
  toAt?: number;
};

export type RunListResult = AnyRunPage;

export type RunOutputParams = {
  /** The run. */
  id: string;
  /**
   * How much one answer has at most.
   * From 1 to 1048576.
   * @default 65536
   */
  limit?: number;
  /**
   * The byte of the output to begin with.
   * @default 0
   */
  offset?: number;
};

export type RunOutputResult = Output;

export type RunReportParams = {
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
  /** What becomes of it. */
  report: {
    /** The agent's session. */
    sessionID: string;
    type: "started";
  } | {
    /** Equal titles in a row are the same step made again. */
    title?: string;
    type: "step";
  } | {
    /** At most 65536 bytes of UTF-8. */
    data: string;
    type: "output";
  } | {
    /** What it waits for a person for. */
    blocker: {
      kind: "permission";
      /** What may be answered. */
      options: ({
        /** What `run/respond` names. */
        id: string;
        /** What the answer means. */
        kind: "allow_once" | "allow_always" | "reject_once" | "reject_always";
        /** What people read. */
        label: string;
      })[];
      /** The agent's request. */
      requestID: string;
      /** What it asks for. */
      title: string;
      /** What it wants to use, as it likes. At most 16384 bytes of JSON. */
      tool?: {
        [name: string]: unknown;
      };
    } | {
      /** The agent's call. */
      callID: string;
      kind: "question";
      /** Without any, words are wanted. */
      options?: ({
        /** What `run/respond` names. */
        id: string;
        /** What people read. */
        label: string;
      })[];
      /** The question. */
      prompt: string;
    };
    type: "blocked";
  } | {
    type: "unblocked";
  } | {
    /** How much. */
    amount: number;
    /** An ISO 4217 code. */
    currency: string;
    type: "cost";
  } | {
    /**
     * The watch is over: the automation is paused.
     * @default false
     */
    last?: boolean;
    /** What the result means for the person. */
    outcome?: "changed" | "findings" | "nothing" | "needs_human";
    /** What the agent said at the end. At most 65536 bytes of UTF-8. */
    text?: string;
    type: "finished";
  } | {
    /** Whose fault it is; if it is absent, whose it usually is. */
    class?: "task" | "transient" | "config" | "auth" | "quota" | "permission" | "agent" | "crash";
    /** What kind of failure it is. */
    code: "execution_failed" | "step_cap" | "loop_gate" | "timed_out" | "budget_exceeded" | "needs_user_input" | "start_failed" | "provider_unavailable" | "crashed";
    /** A sentence for the person. */
    message: string;
    type: "failed";
  };
  /** The run. */
  runID: string;
};

export type RunReportResult = Taken;

export type RunRespondParams = {
  /** The run. */
  id: string;
  /** The run that this request comes out of, when an application forwards an agent's call. */
  insideRun?: string;
} & (
  | {
    /** Of a permission. */
    requestID: string;
    callID?: never;
  }
  | {
    requestID?: never;
    /** Of a question. */
    callID: string;
  }
) & (
  | {
    /** One of the options that were offered. */
    optionID: string;
    text?: never;
  }
  | {
    optionID?: never;
    /** An answer to a question in words. */
    text: string;
  }
);

export type RunRespondResult = Run;

/** What came out of a run that succeeded. */
export type RunResult = {
  /** How much the work has changed; with `files`. */
  diffstat?: Diffstat;
  /**
   * The files that the work has changed, commits included, seen from the run's directory: in order, at most 1000.
   * Absent where that was not found out.
   */
  files?: string[];
  /** What it means for the person. */
  outcome: ResultOutcome | null;
  /** What an agent said at the end. */
  text: string | null;
};

/** Whether this sidecar rings the bell. */
export type SchedulerRole = {
  owner: boolean;
};

/** What `scheduler/status` tells. */
export type SchedulerStatus = {
  /** Whether everything is as it should be. */
  health: Health;
  /** Everybody who has the project open. */
  instances: PresentInstance[];
  /** Whether that is this instance. */
  isOwner: boolean;
  /** The earliest slot that nothing answers for yet. */
  nextFireAt: Timestamp | null;
  /** Who rings the bell; nobody does if there is none, or nobody can be asked. */
  owner: RingingInstance | null;
  /** Why not, a sentence each. */
  reasons: string[];
  /** When the machine slept: the last few times, the newest first. */
  suspended: Suspended[];
};

export type SchedulerStatusParams = Record<string, never>;

export type SchedulerStatusResult = SchedulerStatus;

/** Who answers. */
export type ServerInfo = {
  name: string;
  version: string;
};

/** Whether an agent remembers earlier runs. */
export type SessionContext = "fresh" | "continue";

/** A value in a task's environment as a reader is shown it. */
export type ShownValue = EnvValue | Hidden;

export type ShutdownParams = {
  /**
   * What becomes of the runs of this window: they are waited for, or stopped.
   * @default "force"
   */
  mode?: "maintenance" | "force";
};

export type ShutdownResult = null | CloseResult;

/**
 * What will become of the scheduled times of a span.
 *
 * It is worked out by what the scheduler itself does, on the assumption that the machine is awake and a window is open
 * the whole time. The windows that are open now stay; if there is none, one is assumed that starts agents as they were
 * known last. A run takes as long as the last twenty of its automation did, by their median, a minute if none has run
 * yet, and succeeds, and so does its precheck, which takes no time, also where it has always kept runs from starting. One
 * that is at work now ends when that is over. Nobody answers what runs ask. Closes and holds that are waited for now end
 * now. An automation whose schedule or pause changes meanwhile is none of this. What is changed right after a simulation
 * was asked for may be in it. Automations and runs that cannot be read, or that only a later version understands, are left
 * out, as lists leave out what cannot be read; who asks for one by name is refused if it cannot be read.
 */
export type Simulation = {
  /**
   * What the runs that are started will cost, each as much as the last twenty of its automation did on the average;
   * one amount for each currency. Absent if none of these automations is known to have cost anything.
   */
  estimatedCost?: Money[];
  /** The scheduled times, in order. What was over before now is not among them: `automation/explain` tells of that. */
  fires: Fire[];
  /** How far this goes: `to`, or less if working it out would have taken too long, which is about ten seconds. */
  simulatedThrough: Timestamp;
  /** How many there are, also of those that are not among `fires`. */
  totals: Totals;
  /** Whether there are more than these. */
  truncated: boolean;
};

/** Slots that overlap skipped behind an active run. */
export type Skipped = {
  /** How many; from 100,000 on there may be more. */
  count: number;
  /** The first. */
  fromAt: Timestamp;
  /** `previous_run_active` or `previous_run_awaiting_input`. */
  reason: StopReason;
  /** The last. */
  toAt: Timestamp;
};

/** Scheduled times that one run answers for; both ends belong to it. */
export type SlotRange = {
  /** How many; from 100,000 on there may be more. */
  count: number;
  /** The first. */
  fromAt: Timestamp;
  /** The last. */
  toAt: Timestamp;
};

/** Where a run is in its life. */
export type State = "scheduled" | "running" | "awaiting_input" | "succeeded" | "failed" | "stopped";

/** When a recurring schedule ends. */
export type Stop = {
  kind: "never";
} | {
  /** How many. */
  count: number;
  kind: "count";
} | {
  /** When. */
  at: Timestamp;
  kind: "until";
};

/** Why a run was stopped. */
export type StopReason = "missed_schedule" | "previous_run_active" | "previous_run_awaiting_input" | "paused" | "cancelled" | "superseded" | "writer_busy" | "capacity" | "expired" | "ended" | "precheck_skipped" | "interrupted" | "shutdown" | "blocker_lost";

/** The wish that a run ends. */
export type Stopping = {
  /** How it will be recorded. */
  as: Wish;
  /** The close that ends it, if one does. */
  closedBy?: LifecycleActionId;
  /** Whether its work is killed without being asked. */
  now: boolean;
  /** Since when. */
  since: Timestamp;
};

/** Why the ledger could not be used. */
export type StorageReason = "full" | "read_only" | "damaged" | "replaced" | "newer_version" | "busy" | "io";

/**
 * A window's subscription: what it serves, or the directory that it holds.
 *
 * Opaque and unique; not meant to be sorted.
 */
export type SubscriptionId = string;

/** A span in which the machine slept. */
export type Suspended = {
  /** When it fell asleep. */
  from: Timestamp;
  /** When it was first seen to be awake again. */
  to: Timestamp;
};

/** A report was taken in. */
export type Taken = {
  [name: string]: unknown;
};

/** What is done. */
export type Task = {
  /** Its arguments. */
  args: string[];
  /** What is added to its environment. */
  env: {
    [name: string]: ShownValue;
  };
  kind: "command";
  /** Its name, looked up in the search path, or its path. */
  program: string;
  /** What it reads. */
  stdin?: string;
} | {
  /** Whether the agent remembers earlier runs. */
  context: SessionContext;
  kind: "prompt";
  /** Who is told. */
  model: Model;
  /** What it is told, 1 to 20,000 characters. */
  prompt: string;
  /** The session that is to be continued; without it, that of the automation's last run. */
  sessionID?: string;
  /** Which variant of the model, one of those that it offers. */
  variant?: string;
} | {
  kind: "notify";
  /** What, 1 to 2000 characters. */
  text: string;
};

/** Which zone data is in use. */
export type TimeZoneData = {
  source: string;
  version: string;
};

/**
 * An instant: milliseconds since the Unix epoch, UTC.
 *
 * Never negative in the ledger; never after the year 9999, so that every instant has a calendar date.
 */
export type Timestamp = number;

/** What is left of a deleted automation. */
export type Tombstone = {
  /** Its identity, which is never used again. */
  id: AutomationId;
  /** Its last revision plus one. */
  revision: number;
};

/**
 * How many scheduled times there are, by what becomes of them. Of those that one run answers for together at most 100,000
 * are counted, so that there may be more.
 */
export type Totals = {
  /** Of each of them that has any, in the order in which they were created; of the first ones, if there are many. */
  automations: AutomationTotals[];
  /** Of all automations that were wanted. */
  outcomes: {
    [name: string]: number;
  };
};

/** Why there is a run. */
export type Trigger = {
  kind: "schedule";
} | {
  /** The client's own name for its request. */
  key?: string;
  kind: "manual";
} | {
  kind: "catchUp";
} | {
  kind: "retry";
  /** The run that failed. */
  of: RunId;
};

/** What keeps the history of a project. */
export type Vcs = "git";

/** What became of a scheduled time, or of a time that somebody asks about. */
export type Verdict = "ran" | "ran_late" | "waiting" | "not_started" | "missed" | "overlapped" | "busy" | "paused" | "ended" | "deleted" | "pruned" | "future" | "not_scheduled";

/** What a close waits for. */
export type WaitedFor = {
  /** Work of the user's own. */
  holds: SubscriptionId[];
  /** Runs that this window carries out. */
  runs: RunId[];
};

/** What a scheduled run waits for. */
export type Waiting = {
  /** What is directly ahead of it. */
  behind?: Ahead;
  /** What. */
  for: WaitingFor;
  /** Since when. */
  since: Timestamp;
  /** When the wait ends at the latest. */
  untilAt: Timestamp | null;
};

/** The kinds of waiting. */
export type WaitingFor = "directory" | "previous" | "capacity" | "close" | "catchUp" | "executor" | "retry";

/** That something happens later. */
export type Waits = "deferred";

/** How a run that is asked to end will be recorded. */
export type Wish = StopReason | ErrorCode;

/** The closed list of words a client can match on in a refusal of fields. */
export type Word = "required" | "wrong_type" | "out_of_range" | "unknown_value" | "contains_nul" | "not_unicode" | "duplicate_field" | "nested_too_deep" | "unsupported_automation_field" | "unsupported_for_oneshot_automation" | "unsupported_for_recurring_automation" | "unsupported_kind_change" | "unsupported_stop_condition" | "title_too_long_160" | "prompt_too_long_20000" | "too_long" | "fireAt_must_be_future" | "invalid_timezone" | "invalid_cron_expression" | "interval_below_minimum_30000ms" | "model_not_found" | "model_lookup_failed" | "invalid_variant_for_model" | "unsupported_session_with_fresh" | "invalid_worktree_placement" | "unsupported_where_worktree_not_git" | "unsupported_continue_with_worktree" | "not_available_yet";

/** How long served work may take, in milliseconds. */
export type WorkLimits = {
  /** For a person to answer; as the attendance of the run says. */
  blockerMs: number;
  /** Without a report; none for no limit. */
  idleMs: number | null;
  /** In all, not counting the time in which it waits for a person. */
  wallMs: number;
};

/** The name of a worktree: 1 to 64 of `a` to `z`, `0` to `9` and `-`, neither at the ends nor twice in a row. */
export type WorktreeName = string;

/** What is told beside a refusal, by its kind. */
export interface RefusalData {
  active_run_still_running: {
    kind: "active_run_still_running";
    runID: string;
  };
  automation_conflict: {
    current: AnyAutomation;
    kind: "automation_conflict";
  };
  blocker_gone: {
    kind: "blocker_gone";
    runID: string;
  };
  cancelled: {
    kind: "cancelled";
  };
  close_failed: {
    kind: "close_failed";
    lifecycleActionID: string;
  };
  closing: {
    kind: "closing";
    lifecycleActionID: string;
  };
  inside_run: {
    kind: "inside_run";
    runID: string;
  };
  internal: {
    kind: "internal";
  };
  invalid_automation: {
    details: Fault[];
    kind: "invalid_automation";
  };
  invalid_params: {
    details?: Fault[];
    kind: "invalid_params";
  };
  invalid_request: {
    kind: "invalid_request";
  };
  method_not_found: {
    kind: "method_not_found";
  };
  not_found: {
    id: string;
    kind: "not_found";
    what: "automation" | "run" | "provider";
  };
  not_initialized: {
    kind: "not_initialized";
  };
  overloaded: {
    kind: "overloaded";
  };
  parse_error: {
    kind: "parse_error";
  };
  request_too_large: {
    kind: "request_too_large";
  };
  response_too_large: {
    kind: "response_too_large";
  };
  storage_unavailable: {
    kind: "storage_unavailable";
    reason: StorageReason;
  };
  writer_busy: {
    kind: "writer_busy";
  } & (
    | {
      runID: string;
      holdID?: never;
    }
    | {
      runID?: never;
      holdID: string;
    }
  );
}

/** The codes of refusals, by their kind. */
export const refusalCodes = {
  active_run_still_running: -32013,
  automation_conflict: -32012,
  blocker_gone: -32014,
  cancelled: -32800,
  close_failed: -32019,
  closing: -32017,
  inside_run: -32016,
  internal: -32603,
  invalid_automation: -32010,
  invalid_params: -32602,
  invalid_request: -32600,
  method_not_found: -32601,
  not_found: -32011,
  not_initialized: -32002,
  overloaded: -32018,
  parse_error: -32700,
  request_too_large: -32007,
  response_too_large: -32008,
  storage_unavailable: -32020,
  writer_busy: -32015,
} as const;
