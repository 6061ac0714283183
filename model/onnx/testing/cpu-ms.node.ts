/** Returns how much CPU time this thread has used, in milliseconds. Other processes do not change it. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
