/**
 * The absolute path of the program that was installed with this package. It says so if there is none, and what to do.
 */
export function binaryPath(): string;
