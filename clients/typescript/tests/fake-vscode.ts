/** As much of VS Code as the example uses; what it shows is kept, and what a person would choose is asked of a test. */

type Listener<T> = (value: T) => void;

/** What was shown, by what showed it. */
export const shown: string[] = [];

const waiting = new Set<{ isSo: (text: string) => boolean; found: () => void }>();

function show(text: string): void {
  shown.push(text);
  for (const one of waiting) if (one.isSo(text)) one.found();
}

/** Waits until something is shown that was not, or was. */
export async function isShown(part: string): Promise<void> {
  const isSo = (text: string) => text.includes(part);
  if (shown.some(isSo)) return;
  await new Promise<void>((found) => waiting.add({ isSo, found }));
}

/** What the person answers to everything. */
export const person = { chooses: "" };

export class EventEmitter<T> {
  readonly #listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>) => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };

  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}

export class TreeItem {
  constructor(
    readonly label: string,
    readonly collapsibleState = 0,
  ) {}
}

export class ThemeIcon {
  constructor(readonly id: string) {}
}

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1 };
export const StatusBarAlignment = { Left: 1 };
export const env = { appName: "Editor" };
export const version = "1.100.0";
export const workspace = {
  workspaceFolders: [] as { uri: { fsPath: string } }[],
  getConfiguration: () => ({ get: () => undefined }),
};

interface Tree {
  getChildren(entry?: unknown): unknown[];
  getTreeItem(entry: unknown): { label: string; description?: string; contextValue?: string };
}

export const trees = new Map<string, Tree>();
export const registered = new Map<string, (entry: unknown) => Promise<void>>();

const disposable = { dispose: () => {} };

export const commands = {
  registerCommand: (name: string, action: (entry: unknown) => Promise<void>) => (
    registered.set(name, action),
    disposable
  ),
};

const message =
  (kind: string) =>
  async (text: string, ...items: string[]) => {
    show(`${kind}: ${text} [${items.join(", ")}]`);
    return items.find((item) => item === person.chooses);
  };

export const window = {
  createOutputChannel: (name: string) => ({
    ...disposable,
    show: () => {},
    append: (text: string) => show(`${name}: ${text}`),
    info: (line: string) => show(`info: ${line}`),
    warn: (line: string) => show(`warn: ${line}`),
    error: (line: string) => show(`error: ${line}`),
  }),
  createStatusBarItem: () => ({
    ...disposable,
    show: () => {},
    tooltip: "",
    set text(text: string) {
      show(`status: ${text}`);
    },
  }),
  registerTreeDataProvider: (name: string, tree: Tree) => (trees.set(name, tree), disposable),
  showErrorMessage: message("error"),
  showWarningMessage: message("warning"),
  showInformationMessage: message("information"),
  showQuickPick: (items: { label: string }[]) => Promise.resolve(items.find(({ label }) => label === person.chooses)),
  showInputBox: () => Promise.resolve(person.chooses),
};
