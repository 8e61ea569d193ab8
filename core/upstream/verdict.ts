/** The codes by which a server, or a proxy in front of it, says that it can't serve; any other is an answer. */
export function saysUnable(status: number): boolean {
  return status >= 502 && status <= 504;
}
