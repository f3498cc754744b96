// A connector in another language, written from docs/reference/wire.md and docs/reference/api.md
// alone: what it needs and does not find there is a fault of those pages. Node 22 or later, no
// packages; NODE_EXTRA_CA_CERTS names the gateway's certificate.
//
//     node wire_client.mjs CONFIG.json
//
// CONFIG: {tokenAddress, key, gateway, name, symbols, spool} and optionally {history, renewMs,
// longestPauseMs}. `spool` is the file that keeps its ticks, `history` a list of {symbol, timeframe,
// rows}.
//
// It reads a JSON object a line from its input, and leaves when that ends and all is acknowledged:
//     {symbol, rows}   ticks to send        {watermark}   of a market that fell silent
//     {report}         an `error` message   {text}        a frame to send as it is
// and prints one a line: {sent}, {got}, {token}, {closed, reason, pause} or {stopped}.

import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const ROWS_IN_A_FRAME = 1_000;
const UNACKNOWLEDGED = 50_000;
const UNSENT_BYTES = 1_048_576;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const BUSY_PAUSE_MS = 5_000;
const HISTORY_MS = 10_000;
const HEARTBEAT_MS = 30_000;
const SILENT_INTERVALS = 2.5;

/** The ticks of one symbol: rows[0] has the number `first`, once they have numbers. */
class Series {
  rows = [];
  first = null;
  /** The last number that is dealt with, and the place of the next row to send. */
  acknowledged = 0;
  next = 0;

  get last() {
    return this.first + this.rows.length - 1;
  }

  get isDone() {
    return this.first === null ? this.rows.length === 0 : this.acknowledged >= this.last;
  }

  get isSent() {
    return this.next === this.rows.length;
  }

  get unacknowledged() {
    return this.first + this.next - 1 - this.acknowledged;
  }

  begin(first, dropped) {
    this.rows = this.rows.slice(dropped);
    this.first = first;
    this.acknowledged = first - 1;
    this.next = 0;
  }

  /** Go to where the server resumes; return how many rows to drop where numbers begin anew. */
  resume({ seq, time }) {
    const fromTime = (place) => {
      while (time !== null && place < this.rows.length && this.rows[place][0] < time) place += 1;
      return place;
    };
    if (this.first === null) return fromTime(0);
    if (seq > this.last) return fromTime(Math.max(0, this.acknowledged + 1 - this.first));

    const place = Math.max(0, seq + 1 - this.first);
    const isByAnother = time !== null && this.rows.slice(0, place).every((row) => row[0] < time);
    this.next = isByAnother ? fromTime(place) : place;
    this.acknowledged = this.first + this.next - 1;
    return null;
  }
}

/** Ticks on disk, with their numbers and the identity of these. */
class Spool {
  #file;
  series = new Map();
  /** Up to where the market is known to have no more ticks, by symbol. */
  watermarks = {};

  constructor(file, symbols) {
    this.#file = file;
    for (const symbol of symbols) this.series.set(symbol, new Series());
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    for (const line of lines.filter(Boolean)) this.#apply(JSON.parse(line));
    if (!this.identity) this.#write({ identity: randomUUID() });
  }

  append(symbol, rows) {
    this.#write({ symbol, rows });
  }

  resume(symbol, place) {
    const dropped = this.series.get(symbol).resume(place);
    if (dropped !== null) this.#write({ symbol, first: place.seq + 1, dropped });
  }

  #write(entry) {
    appendFileSync(this.#file, JSON.stringify(entry) + "\n");
    this.#apply(entry);
  }

  #apply({ identity, symbol, rows, first, dropped }) {
    if (identity) this.identity = identity;
    if (rows) this.series.get(symbol).rows.push(...rows);
    if (first) this.series.get(symbol).begin(first, dropped);
  }
}

/** One connection, from its opening to its close. */
class Line {
  #socket;
  #role = {};
  #timers = [];
  #awaited = new Set();
  #heardMs = Date.now();
  #heartbeatMs = HEARTBEAT_MS;
  #close;
  wasAccepted = false;
  closed = new Promise((resolve) => (this.#close = resolve));

  constructor(connector) {
    this.connector = connector;
    this.#socket = new WebSocket(connector.config.gateway);
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
    this.#socket.onerror = () => {};
    this.#timers.push(setInterval(() => this.#look(), 50));
  }

  #look() {
    const isSilent = Date.now() - this.#heardMs > SILENT_INTERVALS * this.#heartbeatMs;
    if (isSilent) this.#end(1006, "the server is silent");
    else this.pump();
  }

  #end(code, reason) {
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#timers.forEach(clearInterval);
    this.#role = {};
    this.#socket.close();
    this.#close({ code, reason });
  }

  leave() {
    this.#socket.close(1000);
  }

  send(message) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
    const { type, symbol, seq, rows } = message;
    print({ sent: { type, symbol, seq, count: rows?.length } });
  }

  authenticate() {
    const { config, token, spool } = this.connector;
    this.send({ type: "auth", token: token.token, symbols: config.symbols, spool: spool.identity });
  }

  /** Send a heartbeat with the watermarks that lie behind every tick that was sent. */
  heartbeat() {
    if (!this.wasAccepted) return;
    const { series, watermarks } = this.connector.spool;
    const isTrue = ([symbol, time]) => {
      const { isSent, rows } = series.get(symbol);
      return this.#role[symbol] === "active" && isSent && time >= (rows.at(-1)?.[0] ?? 0);
    };
    const watermark = Object.fromEntries(Object.entries(watermarks).filter(isTrue));
    this.send({ type: "heartbeat", timestamp: new Date().toISOString(), watermark });
  }

  #receive(message) {
    print({ got: message });
    this.#heardMs = Date.now();
    const { type, symbol, timeframe } = message;
    if (type === "connected") this.authenticate();
    if (type === "auth_ok") this.#accept(message);
    if (type === "ack") this.#acknowledge(message);
    if (type === "history_ack") this.#awaited.delete(`${symbol} ${timeframe}`);
    this.pump();
  }

  #accept({ role, resume, heartbeat_interval }) {
    for (const symbol of Object.keys(role)) {
      const wasActive = this.#role[symbol] === "active";
      this.#role[symbol] = role[symbol];
      if (role[symbol] !== "active") continue;
      this.connector.spool.resume(symbol, resume[symbol]);
      if (!wasActive) this.#sendHistory(symbol);
    }
    if (this.wasAccepted) return;
    this.wasAccepted = true;
    this.#heartbeatMs = 1_000 * heartbeat_interval;
    this.#timers.push(setInterval(() => this.heartbeat(), this.#heartbeatMs));
  }

  #sendHistory(symbol) {
    const { history = [] } = this.connector.config;
    const ofSymbol = history.filter((one) => one.symbol === symbol);
    for (const { timeframe, rows } of ofSymbol) {
      this.#awaited.add(`${symbol} ${timeframe}`);
      this.send({ type: "history", symbol, timeframe, rows });
    }
    if (ofSymbol.length) this.#timers.push(setTimeout(() => this.#awaited.clear(), HISTORY_MS));
  }

  #acknowledge({ symbol, seq }) {
    const series = this.connector.spool.series.get(symbol);
    if (series) series.acknowledged = Math.max(series.acknowledged, seq);
  }

  /** Send what is next of each symbol, as much as may be on its way. */
  pump() {
    if (this.#awaited.size || this.#socket.readyState !== WebSocket.OPEN) return;
    for (const [symbol, series] of this.connector.spool.series)
      while (this.#role[symbol] === "active" && !series.isSent) {
        if (this.#socket.bufferedAmount > UNSENT_BYTES) return;
        if (series.unacknowledged >= UNACKNOWLEDGED) break;
        const rows = series.rows.slice(series.next, series.next + ROWS_IN_A_FRAME);
        this.send(frame(symbol, series.first + series.next, rows));
        series.next += rows.length;
      }
    this.connector.leaveWhenDone();
  }
}

/** What outlives connections: the token, the ticks and the pauses between attempts. */
class Connector {
  token = null;
  line = null;
  #isEnding = false;
  #isLeaving = false;
  #renewal;
  #pause = SHORTEST_PAUSE_MS;

  constructor(config) {
    this.config = config;
    this.spool = new Spool(config.spool, config.symbols);
  }

  async run() {
    this.#readInput();
    while (!this.#isLeaving) {
      this.token ??= await this.#fetchToken();
      this.line = new Line(this);
      const { code, reason } = await this.line.closed;
      if (this.#isLeaving) break;
      if (code === 4400) stop("the server took our messages for bad ones");
      if (code === 4401) this.token = null;
      if (this.line.wasAccepted) this.#pause = SHORTEST_PAUSE_MS;
      const pause = Math.max(this.#nextPause(), code === 4429 ? BUSY_PAUSE_MS : 0);
      print({ closed: code, reason, pause });
      await sleep(pause);
    }
  }

  leaveWhenDone() {
    const isDone = [...this.spool.series.values()].every((series) => series.isDone);
    if (!this.#isEnding || !isDone) return;
    this.#isLeaving = true;
    this.line.leave();
  }

  #nextPause() {
    const pause = this.#pause * (1 - Math.random() / 2);
    this.#pause = Math.min(2 * this.#pause, this.config.longestPauseMs ?? LONGEST_PAUSE_MS);
    return pause;
  }

  async #fetchToken() {
    const { tokenAddress, key, name, symbols } = this.config;
    const headers = { Authorization: `Api-Key ${key}`, "Content-Type": "application/json" };
    for (;;) {
      const body = JSON.stringify({ name, symbols });
      const answer = await fetch(tokenAddress, { method: "POST", headers, body }).catch(() => null);
      if (answer?.ok) return this.#keep(await answer.json());
      if ([400, 401, 403, 404].includes(answer?.status)) stop(await sentence(answer));
      const isLimited = answer?.status === 429;
      await sleep(isLimited ? 1_000 * answer.headers.get("Retry-After") : this.#nextPause());
    }
  }

  #keep(token) {
    print({ token: token.expires_at });
    const lifeMs = new Date(token.expires_at) - Date.now();
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => this.#renewToken(), this.config.renewMs ?? 0.8 * lifeMs);
    return token;
  }

  async #renewToken() {
    this.token = await this.#fetchToken();
    if (this.line?.wasAccepted) this.line.authenticate();
  }

  async #readInput() {
    const lines = createInterface({ input: process.stdin });
    for await (const line of lines) this.#obey(JSON.parse(line));
    this.#isEnding = true;
    this.line?.pump();
  }

  #obey({ symbol, rows, watermark, report, text }) {
    if (rows) this.spool.append(symbol, rows);
    this.line?.pump();
    if (watermark) Object.assign(this.spool.watermarks, watermark);
    if (watermark) this.line?.heartbeat();
    if (report) this.line.send({ type: "error", timestamp: new Date().toISOString(), ...report });
    if (text) this.line.send(text);
  }
}

async function sentence(answer) {
  const { error } = await answer.json().catch(() => ({}));
  return error?.message ?? `the token's address answers ${answer.status}`;
}

function frame(symbol, seq, rows) {
  if (rows.length > 1) return { type: "ticks", symbol, seq, rows };
  const [[time, bid, ask]] = rows;
  return { type: "tick", symbol, timestamp: new Date(time).toISOString(), bid, ask, seq };
}

function print(event) {
  process.stdout.write(JSON.stringify(event) + "\n");
}

function stop(sentence) {
  print({ stopped: sentence });
  process.exit(1);
}

await new Connector(JSON.parse(readFileSync(process.argv[2], "utf8"))).run();
process.exit(0);
