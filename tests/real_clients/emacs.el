;;; emacs.el --- A conversation by jsonrpc.el, the library below Eglot  -*- lexical-binding: t; coding: utf-8 -*-

;;   SEXTON_BIN=target/debug/sexton PROJECT=. emacs --batch -Q -l tests/real_clients/emacs.el
;;
;; It says what it saw, one JSON value per line; main.rs reads that.

(require 'jsonrpc)
(require 'seq)
(require 'url-util)

(defconst project (directory-file-name (expand-file-name (getenv "PROJECT"))))

(defun saw (&rest what)
  (princ (decode-coding-string (json-serialize what) 'utf-8))
  (terpri))

(defvar events nil "What has happened, the newest first.")
(defvar chunks nil "What a run has written, the newest first.")

(defun heard (_connection method params)
  (let ((result (plist-get params :result)))
    (pcase method
      ('events/event (push result events))
      ('output/chunk (push result chunks)))))

(defun start-sidecar ()
  (let ((default-directory (file-name-as-directory project)))
    (make-process :name "sexton"
                  :command (list (or (getenv "SEXTON_BIN") "sexton") "--stdio")
                  :connection-type 'pipe
                  :coding 'utf-8-emacs-unix
                  :noquery t
                  :stderr (get-buffer-create "*sexton stderr*"))))

(defconst sidecar
  (make-instance 'jsonrpc-process-connection
                 :name "sexton"
                 :process #'start-sidecar
                 :notification-dispatcher #'heard))

(defun wait (what ready)
  "Take in what comes until READY finds something, and return that."
  (let ((give-up-at (+ (float-time) 20)) found)
    (while (not (setq found (funcall ready)))
      (when (> (float-time) give-up-at) (error "%s: not in time" what))
      (accept-process-output nil 0.1))
    found))

;; Not `jsonrpc-request', which leaves by `throw' when the answer is there: messages that came together with it
;; are then looked at when the next one comes, which may be never.
(defun ask (method params)
  "Send a request, wait for its answer, and return the result."
  (let (answer)
    (jsonrpc-async-request sidecar method params
                           :success-fn (lambda (result) (setq answer (list :result result)))
                           :error-fn (lambda (refusal) (setq answer (list :refusal refusal))))
    (wait method (lambda () answer))
    (if-let ((refusal (plist-get answer :refusal)))
        (apply #'jsonrpc-error refusal)
      (plist-get answer :result))))

(defun became (id wanted)
  "Return the first event about the run ID that is WANTED, once there is one."
  (lambda ()
    (seq-find (lambda (event)
                (let ((run (plist-get event :run)))
                  (and (equal (plist-get run :id) id) (funcall wanted run))))
              (reverse events))))

(defun has-ended (run) (plist-get run :completedAt))
(defun has-begun (run) (equal (plist-get run :state) "running"))

(defun once-a-day (title program &rest args)
  "Create an automation that is due once a day, and return it."
  (ask :automation/create
       (list :title title
             :kind "recurring"
             :rhythm (list :kind "interval" :everyMs (* 24 60 60 1000))
             :task (list :kind "command" :program program :args (vconcat args)))))

;; What Eglot sends, too: an object that is empty is a hash table, and `nil' is null.
(let* ((uri (concat "file://" (url-hexify-string project url-path-allowed-chars)))
       (opened (ask :initialize
                    (list :processId (emacs-pid)
                          :clientInfo (list :name "Emacs" :version emacs-version)
                          :rootPath project
                          :rootUri uri
                          :initializationOptions (make-hash-table)
                          :capabilities (list :workspace (list :applyEdit t
                                                               :executeCommand (list :dynamicRegistration :json-false)))
                          :workspaceFolders (vector (list :uri uri :name "project"))))))
  (jsonrpc-notify sidecar :initialized (make-hash-table))
  (jsonrpc-notify sidecar :workspace/didChangeConfiguration (list :settings (make-hash-table)))
  (saw :step "opened"
       :server (plist-get (plist-get opened :serverInfo) :name)
       :protocol (plist-get opened :protocolVersion)))

;; Subscribed before anything is asked for, so nothing of it is missed.
(ask :events/subscribe nil)
(saw :step "subscribed")

(let* ((hello (once-a-day "Läuten 🔔" "echo" "hello"))
       (run (progn (saw :step "created" :title (plist-get hello :title))
                   (ask :automation/run (list :id (plist-get hello :id)))))
       (id (plist-get run :id)))
  (wait "the end of the run" (became id #'has-ended))
  (saw :step "ran"
       :states (vconcat (delq nil (mapcar (lambda (event)
                                            (let ((run (plist-get event :run)))
                                              (and (equal (plist-get run :id) id) (plist-get run :state))))
                                          (reverse events)))))
  (ask :output/subscribe (list :runID id))
  (wait "the end of the output" (lambda () (seq-find (lambda (chunk) (eq (plist-get chunk :end) t)) chunks)))
  (saw :step "read" :output (mapconcat (lambda (chunk) (plist-get chunk :data)) (reverse chunks) "")))

(let* ((long (once-a-day "Without an end" "tail" "-f" "/dev/null"))
       (id (plist-get (ask :automation/run (list :id (plist-get long :id))) :id)))
  (wait "the beginning of the run" (became id #'has-begun))
  (let* ((asked (ask :run/cancel (list :id id)))
         (stopped (plist-get (wait "the end of the run" (became id #'has-ended)) :run)))
    (saw :step "cancelled"
         :stopping (plist-get (plist-get asked :stopping) :as)
         :state (plist-get stopped :state)
         :reason (plist-get stopped :stopReason))))

;; A refusal is a signal of the library's own, and its data say in `:kind' what kind it is.
(condition-case refusal
    (ask :automation/create (list :title "" :kind "oneshot"))
  (jsonrpc-error
   (let ((data (alist-get 'jsonrpc-error-data (cdr refusal))))
     (saw :step "refused"
          :code (alist-get 'jsonrpc-error-code (cdr refusal))
          :kind (plist-get data :kind)
          :field (plist-get (aref (plist-get data :details) 0) :field)))))

(ask :shutdown nil)
(jsonrpc-notify sidecar :exit nil)
(wait "the end of the sidecar" (lambda () (not (jsonrpc-running-p sidecar))))
(saw :step "ended" :code (process-exit-status (jsonrpc--process sidecar)))
