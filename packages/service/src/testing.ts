export { createManualClock, type ManualClock } from './manual-clock.ts'
export { stressService } from './stress-service.ts'
