/**
 * The command line: names, options and their checks. What the commands do is handed in, because this room
 * starts nothing. Exit codes: what the command returns; 2 for bad usage.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { filterExpected, parseFilter, parseOrder } from '../core/replay/filter.js';
import type { Pace } from '../core/replay/pace.js';
import type { Output, ReadPlanText } from './check-command.js';
import {
  duration,
  fleetAddress,
  httpUrl,
  origin,
  positiveInteger,
  type VerdictBoundFlags,
  withVerdictBounds,
} from './command-values.js';
import { exitFailure, exitOk, exitUsage } from './exit-codes.js';
import type { NatsBucket } from './nats-address.js';
import { packageVersion } from './package-file.js';
import { addShadow, type ShadowOptions } from './shadow-command.js';
import { parseShare, percentOfShare, Refusal } from './units.js';

const portMax = 65_535;

export interface RunOptions {
  /** Path of the configuration file, or of a directory with umbra.yaml and documents. */
  config: string;
  /** `path=value`, in the order given. */
  set: string[];
  /** The process whose addresses are taken over: its number, or a file that has it and gets ours. */
  takeover: { pid: number } | { file: string } | null;
}

export interface DemoOptions {
  /** Stops by itself after this time; null runs until it is stopped. */
  forMs: number | null;
  /** Requests per second. */
  rate: number;
  /** Null takes the default. */
  port: number | null;
  adminPort: number | null;
  /** Opens the live page in a browser. */
  open: boolean;
}

export interface MirrorOptions {
  /** Both null with `--off` alone: all mirrors. */
  route: string | null;
  version: string | null;
  /** Exactly one of the three is given. */
  percent: number | null;
  on: boolean;
  off: boolean;
  admin: string;
  token: string | null;
}

/** `umbra record`: a proxy to one address that records what passes. */
export interface RecordOptions {
  /** Where requests go. */
  url: string;
  /** Directory of the recording. */
  output: string;
  /** As in the configuration: `host:port`, or `off` for the admin server. */
  listen: string;
  admin: string;
  responses: boolean;
  percent: number;
  /** Null: until it is stopped. */
  forMs: number | null;
}

/** `umbra replay`: plays recordings to a server. */
export interface ReplayOptions {
  /** Paths. */
  files: string[];
  to: string;
  pace: Pace;
  /** From the beginning again, until it is stopped. */
  loop: boolean;
  /** Null: to the end of the recording. */
  forMs: number | null;
  /** All of them must let a request through; texts that `parseFilter` takes, for the thread that reads. */
  filters: string[];
  /** Null: requests wait for none before them; else a text that `parseOrder` takes. */
  order: string | null;
  /** The Host of the recording, not the server's. */
  keepHost: boolean;
  connections: number;
  /** Beyond so many under way, what is due is dropped. */
  inFlight: number;
  timeoutMs: number;
  /** Path of the page; null is text on standard output. */
  output: string | null;
  /** The exit code is the verdict's. */
  verdict: boolean;
  /** As in `VerdictOptions`. */
  p99Delta: number;
  errorDelta: number;
  diff: number;
  samplesMin: number;
}

export interface LoadOptions {
  url: string;
  /** Requests per second; null is as many as go. */
  rate: number | null;
  durationMs: number;
  connections: number;
  /** Path of a file with the body. */
  body: string | null;
}

/** Where a running umbra is asked. */
export interface AdminOptions {
  admin: string;
  token: string | null;
}

/** Where figures are read: the admin API, or a fleet. */
export interface FiguresOptions extends AdminOptions {
  fleet?: NatsBucket & {
    /** One of them alone; null: all as one. */
    instance: string | null;
  };
}

export interface ReportOptions extends FiguresOptions {
  /** Paths of histogram logs; none: the running umbra is asked. */
  hlog: string[];
  /** Path of the page; `-` is text on standard output. */
  output: string;
}

export interface VerdictOptions extends FiguresOptions {
  /** The bounds are fractions: 0.1 is 10 %. */
  p99Delta: number;
  errorDelta: number;
  diff: number;
  samplesMin: number;
  /** Null: everything since umbra started. */
  forMs: number | null;
}

/** `umbra apply` and `umbra delete`. */
export interface DocumentsOptions extends AdminOptions {
  what: 'apply' | 'delete';
  /** Paths of files and directories; `-` is standard input. */
  files: string[];
  /** `virtualservice/reviews`: what is to be deleted, by kind and name. */
  names: string[];
  /** Of `names`; null is the usual one. */
  namespace: string | null;
  dryRun: boolean;
}

export interface TopOptions extends FiguresOptions {
  /** One plain snapshot. */
  once: boolean;
}

/** Each resolves to the exit code. */
export interface Commands {
  run(options: RunOptions): Promise<number>;
  demo(options: DemoOptions): Promise<number>;
  mirror(options: MirrorOptions): Promise<number>;
  record(options: RecordOptions): Promise<number>;
  replay(options: ReplayOptions): Promise<number>;
  shadow(options: ShadowOptions): Promise<number>;
  load(options: LoadOptions): Promise<number>;
  top(options: TopOptions): Promise<number>;
  report(options: ReportOptions): Promise<number>;
  verdict(options: VerdictOptions): Promise<number>;
  documents(options: DocumentsOptions): Promise<number>;
  /** For `check` of a `nats-kv://` address. */
  readPlanText?: ReadPlanText;
}

/** What was under way may hold the process for so long when its command is over and all that it wrote is read. */
const leftOverMs = 1000;

/**
 * Sets `process.exitCode` and returns, so that logs are written out. What is left over then, as a socket of a client whose network loses
 * every packet, ends with the process in a second instead of holding it for minutes. `argv` is that of the process.
 */
export async function main(
  argv: readonly string[],
  commands: Commands,
  output: Output = processOutput,
): Promise<void> {
  process.exitCode = await runCommand(argv, commands, output);
  await Promise.all([written(process.stdout), written(process.stderr)]);
  setTimeout(() => process.exit(), leftOverMs).unref();
}

/** Whoever reads a pipe may take his time; one that nobody reads any more is done. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** As `main`, with the exit code returned. */
export async function runCommand(
  argv: readonly string[],
  commands: Commands,
  output: Output,
): Promise<number> {
  let exitCode = exitOk;
  const program = buildProgram(commands, output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === exitOk ? exitOk : exitUsage;
    output.error(`umbra: ${error instanceof Error ? error.message : String(error)}`);
    return exitFailure;
  }
}

const processOutput: Output = {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
};

function buildProgram(commands: Commands, output: Output, exit: (code: number) => void): Command {
  const program = new Command('umbra')
    .description(
      'A traffic-mirroring reverse proxy: every request goes to the primary version, a copy of a chosen share to the next one.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(umbra --help tells what there is)')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.error(text.trimEnd()),
    });
  addRun(program, commands, exit);
  addCheck(program, commands, output, exit);
  addDemo(program, commands, exit);
  addMirror(program, commands, exit);
  addRecord(program, commands, exit);
  addReplay(program, commands, exit);
  addShadow(program, commands.shadow, exit);
  addLoad(program, commands, exit);
  addTop(program, commands, exit);
  addReport(program, commands, exit);
  addVerdict(program, commands, exit);
  addApply(program, commands, exit);
  addDelete(program, commands, exit);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function addRun(program: Command, commands: Commands, exit: (code: number) => void): void {
  program
    .command('run')
    .description('run the proxy in the foreground')
    .option(
      '-c, --config <file>',
      'configuration file, a directory with umbra.yaml and documents beside it, or nats-kv://host:4222/bucket/key',
      'umbra.yaml',
    )
    .option(
      '--set <path=value>',
      'set one value of the configuration, as in routes[0].mirrors[0].percent=5 (repeatable)',
      collect,
      [],
    )
    .option(
      '--takeover <pid|file>',
      'serve on the addresses of a running umbra, then ask it to finish; a file holds its pid, and then ours',
      takeover,
    )
    .action(
      async (options: { config: string; set: string[]; takeover?: NonNullable<RunOptions['takeover']> }) =>
        exit(
          await commands.run({
            config: options.config,
            set: options.set,
            takeover: options.takeover ?? null,
          }),
        ),
    );
}

function addCheck(program: Command, commands: Commands, output: Output, exit: (code: number) => void): void {
  program
    .command('check')
    .description('check a configuration and tell every problem in it')
    .argument('<file>', 'configuration file, or a directory as for run')
    .option('--set <path=value>', 'as for run (repeatable)', collect, [])
    .action(async (file: string, options: { set: string[] }) => {
      // Loaded when it is asked for: what reads configurations is large, and a server must not carry it in main.
      const { checkFile } = await import('./check-command.js');
      exit(await checkFile(file, options.set, output, commands.readPlanText));
    });
}

function addDemo(program: Command, commands: Commands, exit: (code: number) => void): void {
  program
    .command('demo')
    .description('two small services, a mirror between them and gentle load, to look at')
    .option('--for <duration>', 'stop after this time and print the comparison', duration)
    .option('--rate <n>', 'requests per second', positiveInteger, 5)
    .option('--port <n>', 'port of the proxy', port)
    .option('--admin-port <n>', 'port of the admin server and its page', port)
    .option('--open', 'open the page in a browser', false)
    .action(
      async (options: { for?: number; rate: number; port?: number; adminPort?: number; open: boolean }) =>
        exit(
          await commands.demo({
            forMs: options.for ?? null,
            rate: options.rate,
            port: options.port ?? null,
            adminPort: options.adminPort ?? null,
            open: options.open,
          }),
        ),
    );
}

interface AdminFlags {
  admin: string;
  token?: string;
}

/** The options of every command that talks to a running umbra. */
function withAdmin(command: Command): Command {
  return command
    .option(
      '--admin <url>',
      'admin address of the running umbra, or unix:PATH',
      adminAddress,
      'http://127.0.0.1:9901',
    )
    .addOption(new Option('--token <token>', 'admin token').env('UMBRA_TOKEN'));
}

interface FiguresFlags extends AdminFlags {
  fleet?: NatsBucket;
  instance?: string;
}

/** The options of every command that reads figures. */
function withFigures(command: Command): Command {
  return withAdmin(command)
    .option(
      '--fleet <url>',
      'all instances that publish there as one, as in nats://127.0.0.1:4222/umbra, instead of a running umbra',
      fleetAddress,
    )
    .option('--instance <name>', 'of a fleet, this instance alone');
}

/** `--instance` without `--fleet` would be asked of the wrong one. */
function figuresOptions(command: Command, { admin, token, fleet, instance }: FiguresFlags): FiguresOptions {
  if (fleet === undefined && instance !== undefined) command.error('error: --instance needs --fleet');
  const place = { admin, token: token ?? null };
  return fleet === undefined ? place : { ...place, fleet: { ...fleet, instance: instance ?? null } };
}

interface MirrorFlags extends AdminFlags {
  percent?: number;
  on?: boolean;
  off?: boolean;
}

function addMirror(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = withAdmin(program.command('mirror'));
  command
    .description('change a mirror of a running umbra; with --off alone: turn all mirrors off')
    .argument('[route]', 'name of the route')
    .argument('[version]', 'version that gets the copies')
    .addOption(
      new Option('--percent <n>', 'mirror this share of the requests')
        .argParser(percent)
        .conflicts(['on', 'off']),
    )
    .addOption(new Option('--on', 'turn the mirror on').conflicts(['off']))
    .option('--off', 'turn the mirror off; without route and version: all of them')
    .action(async (route: string | undefined, version: string | undefined, flags: MirrorFlags) => {
      checkMirrorUsage(command, route, version, flags);
      const options: MirrorOptions = {
        route: route ?? null,
        version: version ?? null,
        percent: flags.percent ?? null,
        on: flags.on ?? false,
        off: flags.off ?? false,
        admin: flags.admin,
        token: flags.token ?? null,
      };
      exit(await commands.mirror(options));
    });
}

/** What no single option can see. `error` throws. */
function checkMirrorUsage(
  command: Command,
  route: string | undefined,
  version: string | undefined,
  flags: MirrorFlags,
): void {
  if (flags.percent === undefined && !flags.on && !flags.off) {
    command.error('error: say what to do: --percent <n>, --on or --off');
  }
  if (route !== undefined && version === undefined)
    command.error("error: missing required argument 'version'");
  if (route === undefined && !flags.off)
    command.error("error: missing required arguments 'route' and 'version'");
}

function addRecord(program: Command, commands: Commands, exit: (code: number) => void): void {
  program
    .command('record')
    .description('forward everything to one address and record it, without a configuration')
    .argument('<url>', 'where requests go, such as http://127.0.0.1:9080', origin)
    .option('-o, --output <directory>', 'directory of the recording', './recordings')
    .option('--listen <address>', 'where clients connect', '127.0.0.1:8080')
    .option('--admin <address>', 'address of the admin server, or off', '127.0.0.1:9901')
    .option('--responses', 'record responses too', false)
    .option('--percent <n>', 'record this share of the requests', percent, 100)
    .option('--for <duration>', 'stop after this time', duration)
    .action(async (url: string, flags: Omit<RecordOptions, 'url' | 'forMs'> & { for?: number }) => {
      const { for: forMs = null, ...rest } = flags;
      exit(await commands.record({ ...rest, url, forMs }));
    });
}

interface ReplayFlags extends VerdictBoundFlags {
  to: string;
  speed?: number | 'max';
  rate?: number;
  loop: boolean;
  for?: number;
  filter: string[];
  order?: string;
  keepHost: boolean;
  connections: number;
  inFlight: number;
  timeout: number;
  output?: string;
  verdict: boolean;
}

function addReplay(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = program
    .command('replay')
    .description('play recordings (WARC, or GoReplay) to a server, and compare with the recorded responses')
    .argument('<files...>', 'recordings, one after the other')
    .requiredOption('--to <url>', 'where requests go, such as http://127.0.0.1:9081', origin)
    .option(
      '--speed <n>',
      'as many times as fast as it was, such as 2x, or max: as fast as answers come',
      speed,
    )
    .option('--rate <n>', 'so many a second instead of the recorded times', positiveInteger)
    .option('--loop', 'begin again at its end, until it is stopped', false)
    .option('--for <duration>', 'stop after this time', duration)
    .option(
      '--filter <filter>',
      'only what it lets through, as in method:GET or !path:/admin (repeatable)',
      filters,
      [],
    )
    .option('--order <key>', 'requests of one key one after the other: header:NAME or cookie:NAME', order)
    .option('--keep-host', 'send the recorded Host instead of the address', false)
    .option(
      '--connections <n>',
      'most connections; with --speed max this many requests are kept under way',
      positiveInteger,
      64,
    )
    .option('--in-flight <n>', 'what is due while more are under way is dropped', positiveInteger, 10_000)
    .option('--timeout <duration>', 'for each exchange', duration, 30_000)
    .option('-o, --output <file>', 'write a page instead of text')
    .option('--verdict', 'exit as umbra verdict does', false);
  withVerdictBounds(command).action(async (files: string[], flags: ReplayFlags) => {
    if (flags.speed !== undefined && flags.rate !== undefined)
      command.error("error: option '--rate' cannot be used with option '--speed'");
    exit(
      await commands.replay({
        files,
        to: flags.to,
        pace: paceOf(flags),
        loop: flags.loop,
        forMs: flags.for ?? null,
        filters: flags.filter,
        order: flags.order ?? null,
        keepHost: flags.keepHost,
        connections: flags.connections,
        inFlight: flags.inFlight,
        timeoutMs: flags.timeout,
        output: flags.output ?? null,
        verdict: flags.verdict,
        p99Delta: flags.maxP99Delta,
        errorDelta: flags.maxErrorDelta,
        diff: flags.maxDiff,
        samplesMin: flags.minSamples,
      }),
    );
  });
}

function paceOf({ speed, rate }: ReplayFlags): Pace {
  if (rate !== undefined) return { kind: 'rate', perSecond: rate };
  return speed === 'max' ? { kind: 'max' } : { kind: 'recorded', speed: speed ?? 1 };
}

function addLoad(program: Command, commands: Commands, exit: (code: number) => void): void {
  program
    .command('load')
    .description('drive load and print percentiles')
    .argument('<url>', 'where to', httpUrl)
    .option('--rate <n>', 'requests per second (default: as many as go)', positiveInteger)
    .option('--duration <duration>', 'how long', duration, 30_000)
    .option('--connections <n>', 'connections that are kept open', positiveInteger, 10)
    .option('--body <file>', 'send the content of this file with POST')
    .action(
      async (url: string, options: { rate?: number; duration: number; connections: number; body?: string }) =>
        exit(
          await commands.load({
            url,
            rate: options.rate ?? null,
            durationMs: options.duration,
            connections: options.connections,
            body: options.body ?? null,
          }),
        ),
    );
}

function addTop(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = withFigures(program.command('top'));
  command
    .description('live view of a running umbra: versions, percentiles, mirrors, drops')
    .option('--once', 'print one snapshot and end; so does output that is no terminal', false)
    .action(async ({ once, ...flags }: FiguresFlags & { once: boolean }) =>
      exit(await commands.top({ ...figuresOptions(command, flags), once })),
    );
}

function addReport(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = withFigures(program.command('report'));
  command
    .description('compare the versions on one page, from a running umbra or from histogram logs')
    .option(
      '--hlog <files...>',
      'histogram logs of any number of instances and days, instead of a running umbra',
    )
    .option('-o, --output <file>', 'where the page goes; - prints text', 'report.html')
    .action(async ({ hlog, output, ...flags }: FiguresFlags & { hlog?: string[]; output: string }) =>
      exit(await commands.report({ ...figuresOptions(command, flags), hlog: hlog ?? [], output })),
    );
}

interface VerdictFlags extends FiguresFlags, VerdictBoundFlags {
  for?: number;
}

function addVerdict(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = withVerdictBounds(withFigures(program.command('verdict')));
  command
    .description('may the shadow be released? exit code 0: yes, 1: no, 3: too little data to tell')
    .option(
      '--for <duration>',
      'watch for this long, and judge that alone (default: since umbra started)',
      duration,
    )
    .action(async (flags: VerdictFlags) =>
      exit(
        await commands.verdict({
          ...figuresOptions(command, flags),
          p99Delta: flags.maxP99Delta,
          errorDelta: flags.maxErrorDelta,
          diff: flags.maxDiff,
          samplesMin: flags.minSamples,
          forMs: flags.for ?? null,
        }),
      ),
    );
}

interface DocumentsFlags extends AdminFlags {
  filename: string[];
  dryRun: boolean;
  namespace?: string;
}

function addApply(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = withAdmin(program.command('apply'));
  command
    .description('apply documents of Istio or Gateway API to a running umbra')
    .requiredOption('-f, --filename <path>', 'file, directory, or - (repeatable)', collect, [])
    .option('--dry-run', 'change nothing; print what the documents come to, as umbra.yaml has it', false)
    .action(async (flags: DocumentsFlags) => {
      if (flags.filename.length === 0) command.error("error: required option '-f, --filename' not given");
      exit(await commands.documents(documentsOptions('apply', [], flags)));
    });
}

function addDelete(program: Command, commands: Commands, exit: (code: number) => void): void {
  const command = withAdmin(program.command('delete'));
  command
    .description('take applied documents back')
    .argument('[names...]', 'KIND NAME or KIND/NAME, as in virtualservice reviews')
    .option('-f, --filename <path>', 'file, directory, or - with the documents (repeatable)', collect, [])
    .option('-n, --namespace <name>', 'namespace of the names')
    .option('--dry-run', 'change nothing; print what is left', false)
    .action(async (words: string[], flags: DocumentsFlags) => {
      const names = documentNames(words);
      if (names === null) return command.error('error: expected KIND NAME, or KIND/NAME');
      if (names.length === 0 && flags.filename.length === 0)
        command.error("error: say what to delete: KIND NAME, or '-f, --filename'");
      exit(await commands.documents(documentsOptions('delete', names, flags)));
    });
}

function documentsOptions(
  what: DocumentsOptions['what'],
  names: string[],
  { filename, dryRun, namespace, admin, token }: DocumentsFlags,
): DocumentsOptions {
  return {
    what,
    files: filename,
    names,
    namespace: namespace ?? null,
    dryRun,
    admin,
    token: token ?? null,
  };
}

/** `[virtualservice, a, b]` is two of one kind, as kubectl takes it; null for what is neither form. */
function documentNames(words: readonly string[]): string[] | null {
  if (words.every((word) => word.includes('/'))) return [...words];
  const [kind, ...names] = words;
  if (names.length === 0 || words.some((word) => word.includes('/'))) return null;
  return names.map((name) => `${kind}/${name}`);
}

function filters(value: string, before: string[]): string[] {
  if (parseFilter(value) === null)
    throw new InvalidArgumentError(`${filterExpected[0].toUpperCase()}${filterExpected.slice(1)}.`);
  return [...before, value];
}

function order(value: string): string {
  if (parseOrder(value) === null) throw new InvalidArgumentError('Expected header:NAME or cookie:NAME.');
  return value;
}

function speed(value: string): number | 'max' {
  if (value === 'max') return value;
  const times = /^(\d{1,6}(?:\.\d{1,3})?)x?$/.exec(value);
  if (times !== null && Number(times[1]) > 0) return Number(times[1]);
  throw new InvalidArgumentError('Expected a speed such as 2x, 0.5x or max.');
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

function takeover(value: string): NonNullable<RunOptions['takeover']> {
  if (value === '')
    throw new InvalidArgumentError('Expected the number of a process, or a file that has it.');
  return /^[1-9]\d{0,9}$/.test(value) ? { pid: Number(value) } : { file: value };
}

function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= portMax) return Number(value);
  throw new InvalidArgumentError(`Expected a port from 0 to ${portMax}.`);
}

function percent(value: string): number {
  const share = parseShare(value);
  if (share instanceof Refusal)
    throw new InvalidArgumentError('Expected a percentage from 0 to 100 in steps of 0.0001.');
  return percentOfShare(share);
}

/** `unix:/run/umbra/admin.sock` as in the configuration, or a URL. */
function adminAddress(value: string): string {
  return /^unix:\/./.test(value) ? value : httpUrl(value);
}
