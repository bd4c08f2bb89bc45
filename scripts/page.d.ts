// What the page's scripts speak of, for their checker alone (scripts/checks/web): no browser is sent this.

type Words = Record<string, string>;
type Box = HTMLElement;
type Act = () => void;
type Say = (words: string) => void;
type Failure = import('../Sources/ChatWeb/Page/base/wire.js').Failure;
type Page = import('../Sources/ChatWeb/Page/main.js').Page;
type Side = import('../Sources/ChatWeb/Page/rooms/side.js').Side;
type Talk = import('../Sources/ChatWeb/Page/rooms/talk.js').Talk;

/** Properties of an element whose names begin with "on" are listeners. */
type Properties = { [name: `on${string}`]: (event: any) => void; [name: string]: any };

/** Of one question to the machine. */
interface Options {
  signal?: AbortSignal;
  /** Called for all that comes, heartbeats too. */
  heard?: Act;
  isFollowed?: boolean;
}
/** Of one step of what is followed. */
type Way = { signal: AbortSignal; heard: Act };
type Each = (line: any) => void;

/** A file that goes with a message; without `id` it was not uploaded whole. */
interface Kept {
  name: string;
  id?: string;
  bytes?: number;
  number?: number;
}

/** A file that is attached. */
interface Attached {
  name: string;
  id: string;
  bytes: number;
  /** By which it is known while it is on its way. */
  number: number;
  state: 'loading' | 'kept' | 'failed';
  element: HTMLElement;
  isGone: boolean;
  /** This browser was shut out meanwhile. */
  isCut?: boolean;
  /** Where it is shown. */
  home: import('../Sources/ChatWeb/Page/rooms/files.js').Files;
}

interface Typed {
  text: string;
  files: Kept[];
}

type Both = (one: Typed, other: Typed) => boolean;

/** What the next message goes with. */
interface Chosen {
  model?: string | null;
  agent?: string | null;
}

/** What is kept of a field, or of a card. */
interface Draft extends Typed, Chosen {
  /** Of other windows. */
  aside?: Typed[];
  /** What stands in a card. */
  values?: (string | boolean)[];
  /** It was sent as the card's answer. */
  isSent?: boolean;
}

/** A message that was sent; without a session it begins one. */
interface Letter extends Chosen {
  client_id: string;
  draft: string;
  session: string | null;
  workspace: string | null;
  text: string;
  attachments?: { id: string; name: string }[];
  /** The `client_id` that it goes by, where that is another one. */
  as?: string;
  /** The machine may have it. */
  isTried?: boolean;
  /** And shall not. */
  isUnwanted?: boolean;
  /** Why; it waits for a word of whoever wrote it. */
  refused?: string;
}

/** Whom the outbox tells. */
interface OutboxEar {
  changed: Act;
  accepted: (letter: Letter, event: any) => void;
  back: (letter: Letter, isDone?: boolean) => void;
  lost: (failure: Failure) => void;
}

/** Whom that which asks again and again tells; `lost`: it is over. */
interface FollowerEar {
  trouble: Say;
  lost: (failure: Failure) => void;
}

/** Whom the feed tells. */
interface FeedEar {
  opened: (lines: any[]) => void;
  event: Each;
  state: (words: string, isGood: boolean) => void;
  lost: (failure: Failure) => void;
}

/** What the agent asks: an event of type permission (with `resources`) or question. */
interface Asked {
  type: string;
  id: string;
  action?: string;
  resources?: string[];
  always?: string[];
  details?: string;
  /** What comes of it when nobody answers, and when (ms since 1970). */
  unanswered?: { answer: string; at: number };
  questions: { header: string; question: string; options: { label: string; description: string }[]; multiple: boolean; custom: boolean }[];
}

/** What came of it: an event of type answered. Of `chosen` null is for own words, which are not kept. */
interface Reply {
  id: string;
  answer: string;
  by: string;
  who?: string;
  chosen?: (string | null)[][];
}

/** What a card is made of. */
interface Card {
  event: Asked;
  said: HTMLElement;
  button: (text: string, kind: string, act: Act) => HTMLButtonElement;
  answer: (body: object) => any;
}

/** A piece of an answer. */
interface Block {
  kind: string;
  element: HTMLElement;
  body: HTMLElement;
  text: string;
  /** What of a text that grows is not rendered yet. */
  rest?: Text | null;
  /** Some of it is being rendered. */
  isBusy?: boolean;
  /** What came before `rest` and has no end: none of it is rendered while it grows. */
  plain?: Text[];
  /** What follows `rest`, at the end. */
  later?: Text[];
  /** How much of a long text that grew here was told once more. */
  told?: string;
  /** What puts a long one in. */
  long?: import('../Sources/ChatWeb/Page/rooms/prose.js').Prose;
  /** What a card asks. */
  asked?: any;
}

/** What the room where a browser is let in is given. */
interface Pairing {
  code: string;
  words: string;
  isReturn?: boolean;
  own?: any;
  done: (device: any) => void;
}
